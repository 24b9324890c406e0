"""Render a table from the scores.

`table1` writes reports/PROFILE/table1.csv, .md and .tex, and table1_extended.csv and .md. Methods
without scores appear as blanks with the reason. Beside them, from the records of this machine:
costs.csv and costs.md. A table of `ablations` in params.yaml is written likewise.
"""

import sys
from collections.abc import Iterable, Sequence
from itertools import product

from mdrnets.config import FULL
from mdrnets.files import write_text
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


def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument("name", help="table1, or a table of `ablations` in params.yaml")
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


RENDERERS = {"table1": _table1}

if __name__ == "__main__":
    sys.exit(main())
