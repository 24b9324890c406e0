"""Figure 5: all methods side by side, figure5.png and .pdf."""

from mdrnets.execution.command import StageRun
from mdrnets.reporting.figures import figure5
from stages.renderers.pictures import completed_sets, method_titles, save_figure


def render(run: StageRun) -> None:
    methods = method_titles(run)
    sets = completed_sets(run, methods)
    seed, profile = run.config.protocol.seed, run.config.name
    save_figure(run, figure5.draw(sets, methods=methods, seed=seed, profile=profile))
