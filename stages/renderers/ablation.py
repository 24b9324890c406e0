"""A table of `ablations` in params.yaml, NAME.csv, .md and .tex."""

from mdrnets.execution.command import StageRun
from mdrnets.reporting.context import UNPUBLISHED, describe_run, legend, notes
from mdrnets.reporting.tables.table1 import build_table, table1_metrics
from mdrnets.tracking.provenance import git_state
from stages.renderers.tables import read_summaries, write


def render(run: StageRun) -> None:
    config, profile = run.config, run.config.profile
    ablation = config.ablations[run.stage]
    first = dict(list(profile.datasets.items())[:1])
    names = [config.variant(row) for row in ablation.rows]
    ran = [config.variant(row) for row in ablation.rows if config.runs(row)]
    summaries = read_summaries(run, first, ran)
    table = build_table(
        table1_metrics(profile.frechet),
        bins=tuple(config.protocol.bins),
        datasets=first,
        methods={name: config.network(name).title for name in names},
        run=ran,
        summaries=summaries,
        published={},
    )
    write(
        run,
        run.stage,
        table,
        title=ablation.title,
        facts=describe_run(config, summaries, git_state(config.name)),
        legend=legend(config),
        notes=[UNPUBLISHED, *notes(config, summaries)],
    )
