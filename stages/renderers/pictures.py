"""What the renderers of figures share: titles, the completed test sets, saving."""

from collections.abc import Iterable

from matplotlib.figure import Figure

from mdrnets.dag.evaluate import inspected_method
from mdrnets.execution.command import StageRun
from mdrnets.reporting.figures.completed_set import CompletedSet, read_completed_set
from mdrnets.reporting.figures.style import save


def method_titles(run: StageRun) -> dict[str, str]:
    """The profile's methods with their titles, in the protocol's order."""
    run_here = run.config.profile.methods
    methods = run.config.protocol.methods.items()
    return {name: method.title for name, method in methods if name in run_here}


def completed_sets(run: StageRun, methods: Iterable[str]) -> list[CompletedSet]:
    return [completed_set(run, name, methods) for name in run.config.profile.datasets]


def completed_set(run: StageRun, name: str, methods: Iterable[str]) -> CompletedSet:
    layout, config = run.layout, run.config
    return read_completed_set(
        name=name,
        title=config.profile.datasets[name].title,
        bins=tuple(config.protocol.bins),
        assignment=layout.assignment(name),
        images=layout.images(name),
        holes=layout.holes(),
        completions={method: layout.completions(name, method) for method in methods},
        profile=config.name,
    )


def largest_bin(run: StageRun) -> str:
    """The bin with the largest holes."""
    bins = run.config.protocol.bins
    return max(bins, key=lambda name: max(bins[name]))


def inspected(run: StageRun) -> str:
    """The method whose memory and parser are shown."""
    method = inspected_method(run.config)
    assert method is not None, "else there is no such stage"
    return method


def save_figure(run: StageRun, figure: Figure) -> None:
    save(figure, run.layout.report(f"{run.stage}.png"), run.layout.report(f"{run.stage}.pdf"))
