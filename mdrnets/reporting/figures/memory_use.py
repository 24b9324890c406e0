"""How the memory is used: reads in the test, their entropy and length, and slots over training.

Slots have no order of their own. In each class they are sorted from the most read to the least.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mdrnets.config.load import Config
from mdrnets.dag.evaluate import inspected_method
from mdrnets.data.classes import CLASSES
from mdrnets.errors import UserError
from mdrnets.evaluation.memory_use import MemoryUse, load_memory_use
from mdrnets.layout import Layout
from mdrnets.reporting.figures.style import (
    COLOURS,
    create_panel_figure,
    save_figure,
    with_figure_style,
)
from mdrnets.training.history import read_history_rows

COLUMN = "memory/slots_used/"
"""Prefix of the columns of a history that count the slots of a block written so far."""
ROW = 2.35  # inches
COLOUR_MAP = colormaps["cividis"].with_extremes(bad="0.9")


@dataclass(frozen=True)
class SlotsUsed:
    """The number of slots written so far, over a training.

    Attributes:
        steps: T training steps.
        blocks: names of the blocks of the memory: one for each class, or one for all.
        counts: blocks×T.
    """

    steps: np.ndarray
    blocks: Sequence[str]
    counts: np.ndarray


@dataclass(frozen=True)
class UsedMemory:
    """The memory of a data set: a row of the figure.

    Attributes:
        title: of the data set.
        use: of the memory.
        training: slots written over the training.
    """

    title: str
    use: MemoryUse
    training: SlotsUsed


def render(config: Config, layout: Layout, name: str) -> None:
    """Write memory_use.png and .pdf."""
    method = inspected_method(config)
    assert method is not None, "without one the profile has no such stage"
    memories = []
    for dataset, entry in config.profile.datasets.items():
        use = load_memory_use(layout.memory_use(dataset, method))
        training = read_slots_used(layout.history(dataset, method))
        memories.append(UsedMemory(entry.title, use, training))
    title = config.network(method).title
    figure = draw(memories, classes=CLASSES, method=title, profile=config.name)
    save_figure(figure, layout.report(name))


def read_slots_used(path: Path) -> SlotsUsed:
    """Read the history of a training. Steps of its phases are counted on.

    Raises:
        UserError: the history is missing or damaged.
    """
    rows = read_history_rows(path)
    columns = [column for column in rows[0].values if column.startswith(COLUMN)] if rows else []
    if not columns or any(column not in row.values for row in rows for column in columns):
        raise UserError(
            f"{path}: expected values of {COLUMN}… in each row; remove it and train the network"
        )
    steps: list[int] = []
    before = 0
    for number, row in enumerate(rows):
        if number and row.phase != rows[number - 1].phase:
            before = steps[-1]
        steps.append(before + row.step)
    return SlotsUsed(
        steps=np.array(steps),
        blocks=[column.removeprefix(COLUMN) for column in columns],
        counts=np.array([[row.values[column] for row in rows] for column in columns]),
    )


def compute_shares(chosen: np.ndarray) -> np.ndarray:
    """Share of each slot in the reads of a class, in descending order, K×M; NaN: no reads."""
    with np.errstate(invalid="ignore"):
        shares: np.ndarray = -np.sort(-chosen, axis=1) / chosen.sum(axis=1, keepdims=True)
    return shares


def relative_entropy(shares: np.ndarray) -> np.ndarray:
    """Entropy of K×M shares divided by log M, in [0, 1]; NaN: no reads, or a single slot."""
    logarithms = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    with np.errstate(invalid="ignore"):
        entropy: np.ndarray = -(shares * logarithms).sum(axis=1) / np.log(shares.shape[1])
    return entropy


@with_figure_style
def draw(
    memories: Sequence[UsedMemory], *, classes: Sequence[str], method: str, profile: str
) -> Figure:
    """Draw a row for each data set.

    Args:
        memories: one for each data set.
        classes: names, K.
        method: title of the method.
        profile: name, for the caption.
    """
    figure = create_panel_figure(
        ROW * len(memories) + 0.45,
        [
            f"{method}, reads over the completions of the test images in all bins",
            f"profile {profile}",
        ],
    )
    grid = figure.subplots(
        len(memories), 3, squeeze=False, gridspec_kw={"width_ratios": [1.35, 0.9, 1]}
    )
    for memory, (reads, selection, training) in zip(memories, grid, strict=True):
        _reads(reads, memory, classes)
        _selection(selection, memory.use)
        _training(training, memory.training, memory.use.chosen.shape[1])
    handles, labels = grid[0][1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def _reads(axes: Axes, memory: UsedMemory, classes: Sequence[str]) -> None:
    axes.set_title(f"{memory.title}: reads by best slot, %", loc="left", size=6.5)
    percent = 100 * compute_shares(memory.use.chosen)
    percent = np.where(percent > 0, percent, np.nan)  # grey
    picture = axes.imshow(percent, cmap=COLOUR_MAP, vmin=0, vmax=100, aspect="auto")
    reads = memory.use.chosen.sum(axis=1)
    names = [f"{name} ({count})" for name, count in zip(classes, reads, strict=True)]
    axes.set_yticks(range(len(classes)), names)
    axes.set_xlabel("slot, by rank in its class (reads in brackets)")
    axes.grid(visible=False)
    slots = memory.use.chosen.shape[1]
    ticks = np.unique(np.linspace(1, slots, min(slots, 4)).round().astype(int))
    axes.set_xticks(ticks - 1, [str(tick) for tick in ticks])
    axes.figure.colorbar(picture, ax=axes, pad=0.02, aspect=30)


def _selection(axes: Axes, use: MemoryUse) -> None:
    axes.set_title("relative entropy and length", loc="left", size=6.5)
    rows = np.arange(len(use.chosen))
    with np.errstate(invalid="ignore"):
        attention = use.entropy / np.log(use.chosen.shape[1])
    for values, label, colour, marker in (
        (
            relative_entropy(compute_shares(use.chosen)),
            "best slots of all reads",
            COLOURS[4],
            "o",
        ),
        (attention, "attention of one read", COLOURS[6], "D"),
        (use.length, "length of a read over its query's", COLOURS[1], "s"),
    ):
        axes.plot(values, rows, color=colour, marker=marker, linestyle="none", label=label)
    longest = max(1, np.nan_to_num(use.length).max())
    axes.set(
        xlim=(-0.03, 1.03 * longest),
        ylim=(len(rows) - 0.5, -0.5),
        xlabel="0: one slot, 1: all equally",
    )
    axes.set_yticks(rows, [])


def _training(axes: Axes, training: SlotsUsed, slots: int) -> None:
    axes.set_title(f"slots written so far, of {slots}", loc="left", size=6.5)
    picture = axes.imshow(
        training.counts,
        cmap=COLOUR_MAP,
        vmin=0,
        aspect="auto",
        interpolation="none",
        extent=(0, training.steps[-1], len(training.blocks) - 0.5, -0.5),
    )
    shared = len(training.blocks) == 1
    axes.set_yticks(range(len(training.blocks)), training.blocks if shared else [])
    axes.set_xlabel("training step")
    axes.grid(visible=False)
    axes.figure.colorbar(picture, ax=axes, pad=0.02, aspect=30)
