"""Training curves of all networks: curves.png and .pdf, and the points themselves, curves.csv."""

from mdrnets.dag.report import shown_networks
from mdrnets.execution.command import StageRun
from mdrnets.reporting.figures import curves
from stages.renderers.pictures import save_figure


def render(run: StageRun) -> None:
    config, datasets = run.config, run.config.profile.datasets
    histories = {
        name: {
            dataset: curves.read_history(run.layout.history(dataset, name))
            for dataset in datasets
            if config.trained_on(name, dataset) == dataset
        }
        for name in shown_networks(config)
    }
    curves.write_curves(run.layout.report("curves.csv"), histories)
    figure = curves.draw(
        histories,
        titles={name: config.network(name).title for name in histories},
        sets={name: dataset.title for name, dataset in datasets.items()},
        profile=config.name,
    )
    save_figure(run, figure)
