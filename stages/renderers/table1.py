"""Table 1 beside the published one: table1.csv, .md and .tex, and table1_extended likewise.

Methods without scores appear as blanks with the reason. Beside them metrics/DATASET/METHOD.json,
each method's row as DVC compares them; and, from the records of this machine, costs.csv and
costs.md.
"""

import json
from itertools import product

from mdrnets.execution.command import StageRun
from mdrnets.files import write_text
from mdrnets.reporting.context import describe_run, extended_notes, legend, notes
from mdrnets.reporting.tables.cells import Table
from mdrnets.reporting.tables.costs import write_costs
from mdrnets.reporting.tables.published import load_published
from mdrnets.reporting.tables.table1 import build_table, extended_metrics, table1_metrics
from mdrnets.tracking.provenance import git_state
from stages.renderers.tables import read_summaries, write


def render(run: StageRun) -> None:
    config, profile = run.config, run.config.profile
    summaries = read_summaries(run, profile.datasets, profile.methods)
    facts = describe_run(config, summaries, git_state(config.name))
    how = legend(config)
    below = notes(config, summaries)
    published = load_published()
    in_paper = {method for _, method, _, _ in published}
    extended = extended_metrics(profile.frechet)
    for name, title, metrics, more in (
        ("table1", "Table 1", table1_metrics(profile.frechet), []),
        ("table1_extended", "Table 1, extended", extended, extended_notes(config)),
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
        write(run, name, table, title=title, facts=facts, legend=how, notes=[*below, *more])
        if name == "table1":
            _write_metrics(run, table)
    write_costs(config, run.layout)


def _write_metrics(run: StageRun, table: Table) -> None:
    for dataset, method in product(run.config.profile.datasets, run.config.profile.methods):
        text = json.dumps(table.values(dataset, method), indent=1) + "\n"
        write_text(run.layout.metrics(dataset, method), text)
