"""A figure of `figures` in params.yaml, NAME.png and .pdf: variants beside the full method."""

from mdrnets.execution.command import StageRun
from mdrnets.reporting.figures import ablation_figure
from stages.renderers.pictures import completed_set, largest_bin, save_figure


def render(run: StageRun) -> None:
    config, of_figure = run.config, run.config.figures[run.stage]
    titles = {c: config.network(config.variant(c)).title for c in of_figure.columns}
    shown = {config.variant(c): title for c, title in titles.items() if config.runs(c)}
    figure = ablation_figure.draw(
        completed_set(run, next(iter(config.profile.datasets)), shown),
        variants=shown,
        left_out=[title for c, title in titles.items() if not config.runs(c)],
        title=of_figure.title,
        name=run.stage,
        of_bin=largest_bin(run),
        seed=config.protocol.seed,
        profile=config.name,
    )
    save_figure(run, figure)
