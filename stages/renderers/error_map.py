"""Where errors sit on the face, by method: error_map.png and .pdf."""

from mdrnets.execution.command import StageRun
from mdrnets.reporting.figures import error_map
from stages.renderers.pictures import completed_sets, method_titles, save_figure


def render(run: StageRun) -> None:
    methods = method_titles(run)
    sets = completed_sets(run, methods)
    save_figure(run, error_map.draw(sets, methods=methods, profile=run.config.name))
