"""What the paper claims of its ablations, tested: which variant is better than which.

The orders are `ablations: … claims` in params.yaml. The published numbers of Table 2 are not
available to us, so ours cannot be compared with them.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise, product

from mdrnets.config.load import Config
from mdrnets.config.protocol import FULL
from mdrnets.reporting.claims.finding import ORDER, Finding, apply_holm, signed_margin, with_verdict
from mdrnets.reporting.claims.results import Resampling, Results
from mdrnets.reporting.claims.table1 import score_name, test_difference
from mdrnets.reporting.tables.metrics import table1_metrics
from mdrnets.runtime.seeds import derived_seed


def ablation_findings(
    config: Config, results: Results | None, *, resampling: Resampling
) -> list[Finding]:
    """Each order in every metric and bin, on the first data set; Holm over all of them.

    Args:
        config: protocol and profile.
        results: of the variants that are run, by their networks' names; None: none is run.
        resampling: of intervals and tests.
    """
    metrics = {metric.name: metric for metric in table1_metrics(config.profile.frechet)}
    findings: list[Finding] = []
    for better, worse in ablation_orders(config):
        method, other = config.variant(better), config.variant(worse)
        order = Finding(
            ORDER,
            f"{variant_title(config, better)} is better than {variant_title(config, worse)}",
            method=method,
            other=other,
        )
        missing = [variant for variant in (better, worse) if not config.runs(variant)]
        if missing or results is None:
            findings.append(replace(order, reason=not_run(config, missing[0])))
            continue
        dataset = config.profile.first_dataset
        published_as = config.profile.datasets[dataset].published_as
        order = replace(order, dataset=dataset, published_as=published_as)
        for metric, bin_ in product(metrics.values(), config.protocol.bins):
            score = score_name(metric)
            finding = test_difference(
                replace(order, metric=metric.name, bin=bin_),
                results,
                metric,
                resampling=resampling,
                seed=derived_seed(config.protocol.seed, ORDER, better, worse, score, bin_),
            )
            trainings_p = results.trainings_p(score, method, other, bin_)
            findings.append(replace(finding, trainings_p=trainings_p))
    return [
        with_verdict(finding, signed_margin(metrics[finding.metric], finding.here))
        if finding.metric
        else finding
        for finding in apply_holm(findings)
    ]


def variant_title(config: Config, variant: str) -> str:
    """As in a sentence."""
    return "the full method" if variant == FULL else f"“{config.protocol.variants[variant].title}”"


def not_run(config: Config, variant: str) -> str:
    """Why a variant cannot be tested."""
    return f"{variant_title(config, variant)} is not run in this profile"


def ablation_orders(config: Config) -> Iterator[tuple[str, str]]:
    """Better and worse; each pair once."""
    ablations = config.protocol.ablations.values()
    yield from dict.fromkeys(
        pair for ablation in ablations for claim in ablation.claims for pair in pairwise(claim)
    )
