"""A table of `ablations` in params.yaml: NAME.csv, .md and .tex."""

from mdrnets.config.load import Config
from mdrnets.layout import Layout
from mdrnets.reporting.context import UNPUBLISHED, collect_notes
from mdrnets.reporting.tables.build import build_table
from mdrnets.reporting.tables.metrics import table1_metrics
from mdrnets.reporting.tables.summaries import read_summaries
from mdrnets.reporting.tables.write import write_score_table


def render(config: Config, layout: Layout, name: str) -> None:
    """Write the table of the variants on the first data set."""
    profile, ablation = config.profile, config.ablations[name]
    datasets = {profile.first_dataset: profile.datasets[profile.first_dataset]}
    rows = [config.variant(row) for row in ablation.rows]
    run = [config.variant(row) for row in ablation.rows if config.runs(row)]
    summaries = read_summaries(config, layout, datasets=datasets, methods=run)
    table = build_table(
        table1_metrics(profile.frechet),
        bins=tuple(config.protocol.bins),
        datasets=datasets,
        methods={row: config.network(row).title for row in rows},
        run=run,
        summaries=summaries,
        published={},
    )
    notes = [UNPUBLISHED, *collect_notes(config, summaries)]
    write_score_table(config, name, table, title=ablation.title, summaries=summaries, notes=notes)
