"""A table of `ablations` in params.yaml: NAME.csv, .md and .tex."""

from mdrnets.config.load import Config
from mdrnets.layout import Layout
from mdrnets.reporting.context import UNPUBLISHED, collect_notes
from mdrnets.reporting.tables.build import build_table
from mdrnets.reporting.tables.cells import Table
from mdrnets.reporting.tables.metrics import table1_metrics
from mdrnets.reporting.tables.summaries import Summaries, read_summaries
from mdrnets.reporting.tables.write import write_score_table


def render(config: Config, layout: Layout, name: str) -> None:
    """Write the table of the variants on the first data set."""
    ablation = config.ablations[name]
    run = [config.variant(row) for row in ablation.rows if config.runs(row)]
    first = config.profile.first_dataset
    summaries = read_summaries(config, layout, datasets=[first], methods=run)
    table = build_ablation(config, name, summaries)
    notes = [UNPUBLISHED, *collect_notes(config, summaries)]
    write_score_table(config, name, table, title=ablation.title, summaries=summaries, notes=notes)


def build_ablation(config: Config, name: str, summaries: Summaries) -> Table:
    """The cells of the table."""
    profile, rows = config.profile, config.ablations[name].rows
    return build_table(
        table1_metrics(profile.frechet),
        bins=tuple(config.protocol.bins),
        datasets={profile.first_dataset: profile.datasets[profile.first_dataset]},
        methods={(variant := config.variant(row)): config.network(variant).title for row in rows},
        run=[config.variant(row) for row in rows if config.runs(row)],
        summaries=summaries,
        published={},
    )
