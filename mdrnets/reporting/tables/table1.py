"""Table 1 beside the published one: table1.csv, .md and .tex, and table1_extended likewise.

A method without scores has a blank row with the reason. Three more files are written next to them:
metrics.json, the rows as DVC compares them; and, where the machine has records, costs.csv and
costs.md.
"""

import json

from mdrnets.config.load import Config
from mdrnets.files import write_text
from mdrnets.layout import Layout
from mdrnets.reporting.context import collect_extended_notes, collect_notes
from mdrnets.reporting.tables.build import build_table
from mdrnets.reporting.tables.cells import Table
from mdrnets.reporting.tables.costs import write_costs
from mdrnets.reporting.tables.metrics import extended_metrics, table1_metrics
from mdrnets.reporting.tables.published import load_published, published_methods
from mdrnets.reporting.tables.summaries import Summaries, read_summaries
from mdrnets.reporting.tables.write import write_score_table

TABLE1, EXTENDED = "table1", "table1_extended"


def render(config: Config, layout: Layout, name: str) -> None:
    """Write both tables, the metrics for DVC, and the costs."""
    profile = config.profile
    summaries = read_summaries(config, layout, datasets=profile.datasets, methods=profile.methods)
    tables = build_tables(config, summaries)
    notes = collect_notes(config, summaries)
    for form, title, form_notes in (
        (name, "Table 1", notes),
        (EXTENDED, "Table 1, extended", [*notes, *collect_extended_notes(config)]),
    ):
        write_score_table(
            config, form, tables[form], title=title, summaries=summaries, notes=form_notes
        )
    _write_metrics(config, layout, tables[name])
    write_costs(config, layout)


def build_tables(config: Config, summaries: Summaries) -> dict[str, Table]:
    """Table 1, also with the methods that only the paper has, and the extended one, by name."""
    profile, published = config.profile, load_published()
    return {
        name: build_table(
            metrics(profile.frechet),
            bins=tuple(config.protocol.bins),
            datasets=profile.datasets,
            methods={m: entry.title for m, entry in config.protocol.methods.items() if m in shown},
            run=profile.methods,
            summaries=summaries,
            published=published,
        )
        for name, metrics, shown in (
            (TABLE1, table1_metrics, published_methods(published).union(profile.methods)),
            (EXTENDED, extended_metrics, profile.methods),
        )
    }


def _write_metrics(config: Config, layout: Layout, table: Table) -> None:
    metrics = {
        dataset: {method: table.values(dataset, method) for method in config.profile.methods}
        for dataset in config.profile.datasets
    }
    write_text(layout.metrics, json.dumps(metrics, indent=1) + "\n")
