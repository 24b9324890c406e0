"""Figure 5 of the paper: input, the completions of every method, and the ground truth, in rows."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from mdrnets.config.load import Config
from mdrnets.layout import Layout
from mdrnets.reporting.figures.completed_set import CompletedSet, chosen, read_completed_sets
from mdrnets.reporting.figures.style import (
    GAP,
    GREY,
    caption,
    cell_size,
    pixel_canvas,
    save_figure,
    show,
    styled,
)
from mdrnets.reporting.tables.cells import bin_title

EACH = 2  # images of each bin and data set
SET_GAP, BIN_GAP = 30, 14  # pixels
LEFT, TOP, BELOW, EDGE = 66, 10, 66, 10


def render(config: Config, layout: Layout, name: str) -> None:
    """Write figure5.png and .pdf."""
    methods = config.method_titles
    sets = read_completed_sets(config, layout, methods)
    figure = draw(sets, methods=methods, seed=config.protocol.seed, profile=config.name)
    save_figure(figure, layout.report(name))


@styled
def draw(
    sets: Sequence[CompletedSet], *, methods: Mapping[str, str], seed: int, profile: str
) -> Figure:
    """Draw it.

    Args:
        sets: the data sets, with completions by all `methods`.
        methods: name → title, in the order of the columns.
        seed: of the choice of images.
        profile: name, for the caption.
    """
    titles = ["Input", *methods.values(), "Ground truth"]
    margin = LEFT + EDGE + GAP * (len(titles) - 1)
    side = cell_size(sets[0].images.shape[1], len(titles), margin)
    shown = [choice_of(of_set, seed) for of_set in sets]
    height = TOP + BELOW + sum(_height(choice, side) for choice in shown)
    height += SET_GAP * (len(sets) - 1)
    figure, axes = pixel_canvas(margin + len(titles) * side, height)

    y = TOP
    for of_set, choice in zip(sets, shown, strict=True):
        middle = y + _height(choice, side) / 2
        axes.text(26, middle, of_set.title, rotation=90, ha="right", va="center", weight="bold")
        for of_bin, positions in choice.items():
            middle = y + (len(positions) * (side + GAP) - GAP) / 2
            axes.text(LEFT - 8, middle, bin_title(of_bin), rotation=90, ha="right", va="center")
            for at in positions:
                for column, face in enumerate(of_set.versions(methods, of_bin, at)):
                    show(axes, face, LEFT + column * (side + GAP), y, side)
                y += side + GAP
            y += BIN_GAP - GAP
        y += SET_GAP - BIN_GAP
    y -= SET_GAP
    for column, title in enumerate(titles):
        x = LEFT + column * (side + GAP) + side / 2
        axes.text(x, y + 22, title, ha="center", va="baseline", size=6.5)
    line = caption(["images drawn by seed", "rows by hole ratio", f"profile {profile}"])
    axes.text(LEFT, y + 52, line, va="baseline", color=GREY, size=6)
    return figure


def choice_of(of_set: CompletedSet, seed: int) -> dict[str, list[int]]:
    """Positions of the images that are shown, by bin."""
    return chosen(of_set.count, list(of_set.bins), EACH, seed, "figure5", of_set.name)


def _height(choice: Mapping[str, Sequence[int]], side: int) -> int:
    """Of a data set's rows, in pixels."""
    bins = [len(positions) * (side + GAP) - GAP for positions in choice.values()]
    return sum(bins) + BIN_GAP * (len(bins) - 1)
