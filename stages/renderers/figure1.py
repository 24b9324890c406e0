"""Figure 1: masked input above completion, figure1.png and .pdf."""

from mdrnets.dag.report import shown_method
from mdrnets.execution.command import StageRun
from mdrnets.reporting.figures import figure1
from stages.renderers.pictures import completed_sets, largest_bin, save_figure


def render(run: StageRun) -> None:
    config, method = run.config, shown_method(run.config)
    figure = figure1.draw(
        completed_sets(run, [method]),
        method=method,
        title=config.protocol.methods[method].title,
        of_bin=largest_bin(run),
        seed=config.protocol.seed,
        profile=config.name,
    )
    save_figure(run, figure)
