"""The tests of the paper's claims: claims.csv and .md."""

from mdrnets.config.load import Config
from mdrnets.config.protocol import FULL, Protocol
from mdrnets.dag.evaluate import per_class_networks
from mdrnets.evaluation.class_scores import ClassScore, read_class_scores
from mdrnets.files import write_text
from mdrnets.files.tables import write_rows
from mdrnets.layout import Layout
from mdrnets.reporting.claims.ablations import ablation_findings
from mdrnets.reporting.claims.classes import class_findings
from mdrnets.reporting.claims.finding import COLUMN, Finding
from mdrnets.reporting.claims.markdown import format_claims
from mdrnets.reporting.claims.results import Resampling, Results, read_results
from mdrnets.reporting.claims.table1 import Table1Claims, reason_untestable
from mdrnets.reporting.context import describe_run
from mdrnets.reporting.tables.metrics import table1_metrics
from mdrnets.reporting.tables.published import load_published, published_methods
from mdrnets.runtime.numerics import set_numerics
from mdrnets.tracking.provenance import git_state


def render(config: Config, layout: Layout, name: str) -> None:
    """Test all claims and write the findings."""
    set_numerics(device="cpu", precision="32-true", threads=config.profile.threads)
    resampling = select_resampling(config.protocol)
    findings = [
        *_table1_findings(config, layout, resampling),
        *ablation_findings(config, read_variant_results(config, layout), resampling=resampling),
        *class_findings(config, _class_scores(config, layout), resampling=resampling),
    ]
    findings.sort(key=lambda finding: finding.kind == COLUMN)  # claims first
    write_rows(layout.report(f"{name}.csv"), Finding, findings)
    page = format_claims(findings, config, facts=describe_run(config, {}, git_state(config.name)))
    write_text(layout.report(f"{name}.md"), page)


def select_resampling(protocol: Protocol) -> Resampling:
    """The protocol's numbers of resamples."""
    return Resampling(
        resamples=protocol.bootstrap.resamples,
        halves=protocol.frechet.resamples,
        permutations=protocol.frechet.permutations,
        confidence=protocol.bootstrap.confidence,
    )


def _table1_findings(config: Config, layout: Layout, resampling: Resampling) -> list[Finding]:
    protocol, profile = config.protocol, config.profile
    bins, published = tuple(protocol.bins), load_published()
    papers = published_methods(published)
    methods = tuple(method for method in profile.methods if method in papers)
    trainings = {method: config.trainings(method) for method in methods}
    return Table1Claims(
        datasets=profile.datasets,
        metrics=table1_metrics(profile.frechet),
        bins=bins,
        methods=methods,
        results={
            dataset: read_results(layout, dataset, trainings, bins=bins)
            for dataset in profile.datasets
            if not reason_untestable(methods, bins)
        },
        published=published,
        resampling=resampling,
        seed=protocol.seed,
    ).findings()


def read_variant_results(config: Config, layout: Layout) -> Results | None:
    """The results of the full method and of its variants; None: no variant is run."""
    if not config.profile.variants:
        return None
    networks = [config.variant(variant) for variant in (FULL, *config.profile.variants)]
    trainings = {network: config.trainings(network) for network in networks}
    bins = tuple(config.protocol.bins)
    return read_results(layout, config.profile.first_dataset, trainings, bins=bins)


def _class_scores(config: Config, layout: Layout) -> dict[str, list[ClassScore]] | None:
    """The scores by class of all trainings; None: the variant that they need is not run."""
    networks = per_class_networks(config)
    if not networks:
        return None
    return read_class_scores(layout.per_class(config.profile.first_dataset), networks)
