"""What the renderers of figures share: titles, the completed test sets, saving."""

from collections.abc import Iterable

from matplotlib.figure import Figure

from mdrnets.reporting.figures.completed_set import CompletedSet, read_completed_set
from mdrnets.reporting.figures.style import save
from stages.command import StageRun


def method_titles(run: StageRun) -> dict[str, str]:
    """The profile's methods with their titles, in the protocol's order."""
    run_here = run.config.profile.methods
    methods = run.config.protocol.methods.items()
    return {name: method.title for name, method in methods if name in run_here}


def completed_sets(run: StageRun, methods: Iterable[str]) -> list[CompletedSet]:
    layout, config = run.layout, run.config
    return [
        read_completed_set(
            name=name,
            title=dataset.title,
            bins=tuple(config.protocol.bins),
            assignment=layout.assignment(name),
            images=layout.images(name),
            holes=layout.holes(),
            completions={method: layout.completions(name, method) for method in methods},
            profile=config.name,
        )
        for name, dataset in config.profile.datasets.items()
    ]


def save_figure(run: StageRun, figure: Figure) -> None:
    save(figure, run.layout.report(f"{run.stage}.png"), run.layout.report(f"{run.stage}.pdf"))
