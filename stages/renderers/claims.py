"""The paper's claims, tested: claims.csv and .md."""

from mdrnets.files import write_text
from mdrnets.reporting.claims import Claims, untestable
from mdrnets.reporting.claims_page import claims_page, write_findings
from mdrnets.reporting.claims_results import PERMUTATIONS, Resampling, read_results
from mdrnets.reporting.context import describe_run
from mdrnets.reporting.published import load_published
from mdrnets.reporting.table1 import table1_metrics
from mdrnets.tracking.provenance import git_state
from mdrnets.training.numerics import set_numerics
from stages.command import StageRun


def render(run: StageRun) -> None:
    config, layout = run.config, run.layout
    protocol, profile, methods = config.protocol, config.profile, config.profile.methods
    set_numerics(device="cpu", precision="32-true", threads=profile.threads)
    results = {
        dataset: read_results(
            {method: layout.scores(dataset, method) for method in methods},
            {method: layout.features(dataset, method) for method in methods},
            layout.features(dataset, "ground_truth"),
            bins=tuple(protocol.bins),
        )
        for dataset in profile.datasets
        if not untestable(methods, tuple(protocol.bins))
    }
    findings = Claims(
        datasets=profile.datasets,
        metrics=table1_metrics(profile.frechet),
        bins=tuple(protocol.bins),
        methods=methods,
        results=results,
        published=load_published(),
        resampling=Resampling(
            resamples=protocol.bootstrap.resamples,
            halves=protocol.frechet.resamples,
            permutations=PERMUTATIONS,
            confidence=protocol.bootstrap.confidence,
        ),
        seed=protocol.seed,
    ).findings()
    write_findings(layout.report("claims.csv"), findings)
    page = claims_page(findings, config, facts=describe_run(config, {}, git_state(config.name)))
    write_text(layout.report("claims.md"), page)
