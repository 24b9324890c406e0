"""Figure 1 of the paper: faces with large holes, above their completions by the paper's method."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from mdrnets.config.load import Config
from mdrnets.dag.report import shown_method
from mdrnets.layout import Layout
from mdrnets.reporting.figures.completed_set import CompletedSet, chosen, read_completed_sets
from mdrnets.reporting.figures.style import (
    GAP,
    GREY,
    caption,
    cell_size,
    masked,
    pixel_canvas,
    save_figure,
    show,
    styled,
)
from mdrnets.reporting.tables.cells import bin_title

SAMPLES = 4  # of each data set
BETWEEN = 26  # pixels between two data sets
LEFT, TOP, BELOW = 34, 36, 38  # margins in pixels, for text
EDGE = 10


def render(config: Config, layout: Layout, name: str) -> None:
    """Write figure1.png and .pdf."""
    method = shown_method(config)
    figure = draw(
        read_completed_sets(config, layout, [method]),
        method=method,
        title=config.protocol.methods[method].title,
        of_bin=config.protocol.largest_bin,
        seed=config.protocol.seed,
        profile=config.name,
    )
    save_figure(figure, layout.report(name))


@styled
def draw(
    sets: Sequence[CompletedSet], *, method: str, title: str, of_bin: str, seed: int, profile: str
) -> Figure:
    """Draw it.

    Args:
        sets: the data sets, with completions by `method`.
        method: whose completions are shown.
        title: of the method.
        of_bin: the largest bin.
        seed: of the choice of images.
        profile: name, for the caption.
    """
    shown = [chosen(s.count, [of_bin], SAMPLES, seed, "figure1", s.name)[of_bin] for s in sets]
    columns = sum(map(len, shown))
    margin = LEFT + EDGE + BETWEEN * (len(sets) - 1) + GAP * (columns - len(sets))
    side = cell_size(sets[0].images.shape[1], columns, margin)
    figure, axes = pixel_canvas(margin + columns * side, TOP + 2 * side + GAP + BELOW)

    x = LEFT
    for of_set, positions in zip(sets, shown, strict=True):
        width = len(positions) * (side + GAP) - GAP
        axes.text(x + width / 2, TOP - 10, of_set.title, ha="center", va="baseline", weight="bold")
        for at in positions:
            truth, hole = of_set.truth(of_bin, at), of_set.hole(of_bin, at)
            show(axes, masked(truth, hole), x, TOP, side)
            show(axes, of_set.completed(method, of_bin, at), x, TOP + side + GAP, side)
            x += side + GAP
        x += BETWEEN - GAP
    for row, label in enumerate(("Input", title)):
        y = TOP + row * (side + GAP) + side / 2
        axes.text(LEFT - 8, y, label, rotation=90, ha="right", va="center")
    line = caption([f"holes of {bin_title(of_bin)}", "images drawn by seed", f"profile {profile}"])
    bottom = TOP + 2 * side + GAP
    axes.text(LEFT, bottom + 26, line, va="baseline", color=GREY, size=6)
    return figure
