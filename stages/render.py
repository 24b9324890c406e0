"""Render a table from the scores.

`table1` writes reports/PROFILE/table1.csv, .md and .tex, and table1_extended.csv and .md. Methods
without scores appear as blanks with the reason. Beside them, from the records of this machine:
costs.csv and costs.md.
"""

import sys
from collections.abc import Sequence

from mdrnets.files import write_text
from mdrnets.reporting.cells import write_cells
from mdrnets.reporting.context import EXTENDED_NOTES, describe_run, legend, notes
from mdrnets.reporting.costs import write_costs
from mdrnets.reporting.latex import latex
from mdrnets.reporting.markdown import markdown
from mdrnets.reporting.published import load_published
from mdrnets.reporting.table1 import build_table, check_summaries, extended_metrics, table1_metrics
from mdrnets.summary import load_summary
from mdrnets.tracking.provenance import git_state
from stages.command import StageRun, execute, stage_parser


def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument("name", choices=RENDERERS, help="what to render")
    options = parser.parse_args(arguments)
    return execute(options.name, {}, options.profile, RENDERERS[options.name])


def _table1(run: StageRun) -> None:
    config, layout = run.config, run.layout
    protocol, profile = config.protocol, config.profile
    paths = {(d, m): layout.summary(d, m) for d in profile.datasets for m in profile.methods}
    summaries = {key: load_summary(path) for key, path in paths.items() if path.is_file()}
    for dataset, method in paths:
        if (dataset, method) not in summaries:
            run.say(f"table1: no scores of {method} on {dataset}; its row stays blank")
    bins = tuple(protocol.bins)
    check_summaries(summaries, bins=bins, features=profile.frechet, ssim=protocol.ssim)

    facts = describe_run(config, summaries, git_state(config.name))
    below = notes(config, summaries)
    how = legend(protocol.bootstrap.confidence)
    published = load_published()
    for name, title, metrics, more in (
        ("table1", "Table 1", table1_metrics(profile.frechet), ()),
        ("table1_extended", "Table 1, extended", extended_metrics(profile.frechet), EXTENDED_NOTES),
    ):
        table = build_table(
            metrics,
            bins=bins,
            datasets=profile.datasets,
            methods={method: entry.title for method, entry in protocol.methods.items()},
            run=profile.methods,
            summaries=summaries,
            published=published,
        )
        write_cells(layout.report(f"{name}.csv"), table)
        text = markdown(table, title=title, facts=facts, legend=how, notes=[*below, *more])
        write_text(layout.report(f"{name}.md"), text)
        if name == "table1":
            text = latex(table, title=title, label=name, facts=facts, legend=how, notes=below)
            write_text(layout.report("table1.tex"), text)
    write_costs(config, layout)


RENDERERS = {"table1": _table1}

if __name__ == "__main__":
    sys.exit(main())
