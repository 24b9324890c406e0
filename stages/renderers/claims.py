"""The paper's claims, tested: claims.csv and .md."""

from mdrnets.config.protocol import FULL
from mdrnets.dag.evaluate import per_class_networks
from mdrnets.evaluation.class_scores import read_class_scores
from mdrnets.execution.command import StageRun
from mdrnets.files import write_text
from mdrnets.reporting.claims.ablations import ablation_findings
from mdrnets.reporting.claims.classes import class_findings
from mdrnets.reporting.claims.finding import COLUMN, Finding
from mdrnets.reporting.claims.markdown import claims_page, write_findings
from mdrnets.reporting.claims.results import Resampling, read_results
from mdrnets.reporting.claims.table1 import Claims, untestable
from mdrnets.reporting.context import describe_run
from mdrnets.reporting.tables.published import load_published
from mdrnets.reporting.tables.table1 import table1_metrics
from mdrnets.runtime.numerics import set_numerics
from mdrnets.tracking.provenance import git_state


def render(run: StageRun) -> None:
    config, layout = run.config, run.layout
    set_numerics(device="cpu", precision="32-true", threads=config.profile.threads)
    protocol = config.protocol
    resampling = Resampling(
        resamples=protocol.bootstrap.resamples,
        halves=protocol.frechet.resamples,
        permutations=protocol.frechet.permutations,
        confidence=protocol.bootstrap.confidence,
    )
    findings = [
        *_of_table1(run, resampling),
        *_of_ablations(run, resampling),
        *_of_classes(run, resampling),
    ]
    findings.sort(key=lambda finding: finding.kind == COLUMN)  # claims first
    write_findings(layout.report("claims.csv"), findings)
    page = claims_page(findings, config, facts=describe_run(config, {}, git_state(config.name)))
    write_text(layout.report("claims.md"), page)


def _of_table1(run: StageRun, resampling: Resampling) -> list[Finding]:
    config, protocol, profile = run.config, run.config.protocol, run.config.profile
    bins, methods = tuple(protocol.bins), profile.methods
    trainings = {method: config.trainings(method) for method in methods}
    return Claims(
        datasets=profile.datasets,
        metrics=table1_metrics(profile.frechet),
        bins=bins,
        methods=methods,
        results={
            dataset: read_results(run.layout, dataset, trainings, bins=bins)
            for dataset in profile.datasets
            if not untestable(methods, bins)
        },
        published=load_published(),
        resampling=resampling,
        seed=protocol.seed,
    ).findings()


def _of_ablations(run: StageRun, resampling: Resampling) -> list[Finding]:
    config, results = run.config, None
    if config.profile.variants:
        networks = [config.variant(variant) for variant in (FULL, *config.profile.variants)]
        results = read_results(
            run.layout,
            next(iter(config.profile.datasets)),
            {network: config.trainings(network) for network in networks},
            bins=tuple(config.protocol.bins),
        )
    return ablation_findings(config, results, resampling=resampling)


def _of_classes(run: StageRun, resampling: Resampling) -> list[Finding]:
    scores = None
    if networks := per_class_networks(run.config):
        dataset = next(iter(run.config.profile.datasets))
        scores = read_class_scores(run.layout.per_class(dataset), networks)
    return class_findings(run.config, scores, resampling=resampling)
