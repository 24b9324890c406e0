"""Scores against the hole ratio: metric_by_ratio.png and .pdf."""

from itertools import product

from mdrnets.execution.command import StageRun
from mdrnets.reporting.figures import metric_by_ratio
from mdrnets.reporting.figures.style import looks
from stages.renderers.pictures import method_titles, save_figure


def render(run: StageRun) -> None:
    protocol, profile, methods = run.config.protocol, run.config.profile, method_titles(run)
    figure = metric_by_ratio.draw(
        {
            (dataset, method): metric_by_ratio.read_scores(run.layout.scores(dataset, method))
            for dataset, method in product(profile.datasets, methods)
        },
        sets={name: dataset.title for name, dataset in profile.datasets.items()},
        methods=methods,
        looks=looks(protocol.methods),
        resamples=protocol.bootstrap.resamples,
        confidence=protocol.bootstrap.confidence,
        seed=protocol.seed,
        profile=run.config.name,
    )
    save_figure(run, figure)
