"""How well the parser finds each class: parser_quality.png, .pdf and .csv."""

from mdrnets.dag.evaluate import labelled_sets
from mdrnets.evaluation.parsing import read_parsing
from mdrnets.execution.command import StageRun
from mdrnets.reporting.figures import parser_quality
from stages.renderers.pictures import inspected, save_figure


def render(run: StageRun) -> None:
    datasets, method = run.config.profile.datasets, inspected(run)
    parsings = {d: read_parsing(run.layout.parsing(d, method)) for d in labelled_sets(run.config)}
    parser_quality.write_quality(run.layout.report(f"{run.stage}.csv"), parsings)
    titled = {datasets[name].title: parsing for name, parsing in parsings.items()}
    save_figure(run, parser_quality.draw(titled, profile=run.config.name))
