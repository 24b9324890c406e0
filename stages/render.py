"""Render a table or a figure from the scores, completions and training histories.

`table1` writes reports/PROFILE/table1.csv, .md and .tex, and table1_extended.csv and .md. Methods
without scores appear as blanks with the reason. Beside them, from the records of this machine:
costs.csv and costs.md. A table of `ablations` in params.yaml is written likewise.

`claims` writes reports/PROFILE/claims.csv and .md: the paper's claims, tested.

`figure1`, `figure5`, `curves`, `metric_by_ratio` and `error_map` write reports/PROFILE/NAME.png and
.pdf. All methods of the profile must be there.
"""

import sys
from collections.abc import Iterable, Sequence
from itertools import product
from typing import TYPE_CHECKING

from mdrnets.config import FULL
from mdrnets.files import write_text
from mdrnets.pipeline import shown_method, shown_networks
from mdrnets.reporting.cells import Table, write_cells
from mdrnets.reporting.context import EXTENDED_NOTES, UNPUBLISHED, describe_run, legend, notes
from mdrnets.reporting.costs import write_costs
from mdrnets.reporting.latex import latex
from mdrnets.reporting.markdown import markdown
from mdrnets.reporting.published import load_published
from mdrnets.reporting.table1 import (
    Summaries,
    build_table,
    check_summaries,
    extended_metrics,
    table1_metrics,
)
from mdrnets.summary import load_summary
from mdrnets.tracking.provenance import git_state
from stages.command import StageRun, execute, stage_parser

if TYPE_CHECKING:  # a table needs no matplotlib: what draws is imported where it draws
    from matplotlib.figure import Figure

    from mdrnets.reporting.figures.completed_set import CompletedSet


def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument(
        "name", help="table1, claims, a figure, or a table of `ablations` in params.yaml"
    )
    options = parser.parse_args(arguments)
    return execute(options.name, {}, options.profile, RENDERERS.get(options.name, _ablation))


def _table1(run: StageRun) -> None:
    config, profile = run.config, run.config.profile
    summaries = _summaries(run, profile.datasets, profile.methods)
    facts = describe_run(config, summaries, git_state(config.name))
    how = legend(config.protocol.bootstrap.confidence)
    below = notes(config, summaries)
    published = load_published()
    in_paper = {method for _, method, _, _ in published}
    for name, title, metrics, more in (
        ("table1", "Table 1", table1_metrics(profile.frechet), ()),
        ("table1_extended", "Table 1, extended", extended_metrics(profile.frechet), EXTENDED_NOTES),
    ):
        table = build_table(
            metrics,
            bins=tuple(config.protocol.bins),
            datasets=profile.datasets,
            methods={
                method: entry.title
                for method, entry in config.protocol.methods.items()
                if method in profile.methods or (method in in_paper and name == "table1")
            },
            run=profile.methods,
            summaries=summaries,
            published=published,
        )
        extended = [*below, *more]
        _write(run, name, table, title=title, facts=facts, legend=how, notes=extended)
    write_costs(config, run.layout)


def _ablation(run: StageRun) -> None:
    """One of the tables of `params.yaml: ablations`."""
    config, profile = run.config, run.config.profile
    ablation = config.ablations[run.stage]
    first = dict(list(profile.datasets.items())[:1])
    names = [config.variant(row) for row in ablation.rows]
    ran = [config.variant(row) for row in ablation.rows if row in (FULL, *profile.variants)]
    summaries = _summaries(run, first, ran)
    table = build_table(
        table1_metrics(profile.frechet),
        bins=tuple(config.protocol.bins),
        datasets=first,
        methods={name: config.network(name).title for name in names},
        run=ran,
        summaries=summaries,
        published={},
    )
    _write(
        run,
        run.stage,
        table,
        title=ablation.title,
        facts=describe_run(config, summaries, git_state(config.name)),
        legend=legend(config.protocol.bootstrap.confidence),
        notes=[UNPUBLISHED, *notes(config, summaries)],
    )


def _claims(run: StageRun) -> None:
    from mdrnets.reporting.claims import Claims, untestable
    from mdrnets.reporting.claims_page import claims_page, write_findings
    from mdrnets.reporting.claims_results import PERMUTATIONS, Resampling, read_results
    from mdrnets.training.numerics import set_numerics

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


def _summaries(run: StageRun, datasets: Iterable[str], methods: Iterable[str]) -> Summaries:
    paths = {(d, m): run.layout.summary(d, m) for d, m in product(datasets, methods)}
    summaries = {key: load_summary(path) for key, path in paths.items() if path.is_file()}
    for dataset, method in paths:
        if (dataset, method) not in summaries:
            run.say(f"{run.stage}: no scores of {method} on {dataset}; its row stays blank")
    protocol = run.config.protocol
    features = run.config.profile.frechet
    check_summaries(summaries, bins=tuple(protocol.bins), features=features, ssim=protocol.ssim)
    return summaries


def _write(
    run: StageRun,
    name: str,
    table: Table,
    *,
    title: str,
    facts: Sequence[tuple[str, str]],
    legend: str,
    notes: Sequence[str],
) -> None:
    """The table as CSV, Markdown and LaTeX."""
    layout = run.layout
    write_cells(layout.report(f"{name}.csv"), table)
    text = markdown(table, title=title, facts=facts, legend=legend, notes=notes)
    write_text(layout.report(f"{name}.md"), text)
    text = latex(table, title=title, label=name, facts=facts, legend=legend, notes=notes)
    write_text(layout.report(f"{name}.tex"), text)


def _figure1(run: StageRun) -> None:
    from mdrnets.reporting.figures import figure1

    config, method = run.config, shown_method(run.config)
    bins = config.protocol.bins
    figure = figure1.draw(
        _completed_sets(run, [method]),
        method=method,
        title=config.protocol.methods[method].title,
        of_bin=max(bins, key=lambda name: max(bins[name])),
        seed=config.protocol.seed,
        profile=config.name,
    )
    _save(run, figure)


def _figure5(run: StageRun) -> None:
    from mdrnets.reporting.figures import figure5

    titles = _titles(run)
    sets = _completed_sets(run, titles)
    seed, profile = run.config.protocol.seed, run.config.name
    _save(run, figure5.draw(sets, methods=titles, seed=seed, profile=profile))


def _error_map(run: StageRun) -> None:
    from mdrnets.reporting.figures import error_map

    titles = _titles(run)
    sets = _completed_sets(run, titles)
    _save(run, error_map.draw(sets, methods=titles, profile=run.config.name))


def _metric_by_ratio(run: StageRun) -> None:
    from mdrnets.reporting.figures import metric_by_ratio
    from mdrnets.reporting.figures.style import looks

    protocol, profile, titles = run.config.protocol, run.config.profile, _titles(run)
    figure = metric_by_ratio.draw(
        {
            (dataset, method): metric_by_ratio.read_scores(run.layout.scores(dataset, method))
            for dataset, method in product(profile.datasets, titles)
        },
        sets={name: dataset.title for name, dataset in profile.datasets.items()},
        methods=titles,
        looks=looks(protocol.methods),
        resamples=protocol.bootstrap.resamples,
        confidence=protocol.bootstrap.confidence,
        seed=protocol.seed,
        profile=run.config.name,
    )
    _save(run, figure)


def _curves(run: StageRun) -> None:
    from mdrnets.reporting.figures import curves

    config, datasets = run.config, run.config.profile.datasets
    histories = {
        name: {
            dataset: curves.read_history(run.layout.history(dataset, name))
            for dataset in datasets
            if config.trained_on(name, dataset) == dataset
        }
        for name in shown_networks(config)
    }
    figure = curves.draw(
        histories,
        titles={name: config.network(name).title for name in histories},
        sets={name: dataset.title for name, dataset in datasets.items()},
        profile=config.name,
    )
    _save(run, figure)


def _titles(run: StageRun) -> dict[str, str]:
    """The profile's methods with their titles, in the protocol's order."""
    run_here = run.config.profile.methods
    methods = run.config.protocol.methods.items()
    return {name: method.title for name, method in methods if name in run_here}


def _completed_sets(run: StageRun, methods: Iterable[str]) -> "list[CompletedSet]":
    from mdrnets.reporting.figures.completed_set import read_completed_set

    layout, config = run.layout, run.config
    return [
        read_completed_set(
            name=name,
            title=dataset.title,
            bins=tuple(config.protocol.bins),
            assignment=layout.assignment(name),
            images=layout.images(name),
            holes=layout.holes(),
            completions={method: layout.completions(name, method) for method in methods},
            profile=config.name,
        )
        for name, dataset in config.profile.datasets.items()
    ]


def _save(run: StageRun, figure: "Figure") -> None:
    from mdrnets.reporting.figures.style import save

    save(figure, run.layout.report(f"{run.stage}.png"), run.layout.report(f"{run.stage}.pdf"))


RENDERERS = {
    "table1": _table1,
    "claims": _claims,
    "figure1": _figure1,
    "figure5": _figure5,
    "curves": _curves,
    "metric_by_ratio": _metric_by_ratio,
    "error_map": _error_map,
}

if __name__ == "__main__":
    sys.exit(main())
