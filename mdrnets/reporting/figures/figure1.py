"""Figure 1 of the paper: faces with large holes, and below them their completions."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from mdrnets.config.load import Config
from mdrnets.dag.report import choose_figure1_method
from mdrnets.layout import Layout
from mdrnets.reporting.figures.completed_set import CompletedSet, choose_images, read_completed_sets
from mdrnets.reporting.figures.style import (
    GAP,
    create_canvas,
    draw_caption,
    draw_image,
    fit_cell_size,
    mask_hole,
    save_figure,
    with_figure_style,
)
from mdrnets.reporting.tables.cells import format_bin

SAMPLES = 4  # of each data set
BETWEEN = 26  # pixels between two data sets
LEFT, TOP, BELOW = 34, 36, 38  # margins in pixels, for text
EDGE = 10


def render(config: Config, layout: Layout, name: str) -> None:
    """Write figure1.png and .pdf."""
    method = choose_figure1_method(config)
    figure = draw(
        read_completed_sets(config, [method]),
        method=method,
        title=config.protocol.methods[method].title,
        bin_name=config.protocol.largest_bin,
        seed=config.protocol.seed,
        profile=config.name,
    )
    save_figure(figure, layout.report(name))


@with_figure_style
def draw(
    sets: Sequence[CompletedSet], *, method: str, title: str, bin_name: str, seed: int, profile: str
) -> Figure:
    """Draw two rows: the masked faces, and their completions.

    Args:
        sets: the data sets, with completions by `method`.
        method: name of the method whose completions are shown.
        title: of the method.
        bin_name: the largest bin.
        seed: of the choice of images.
        profile: name, for the caption.
    """
    shown = [
        choose_images(s.count, [bin_name], SAMPLES, seed, "figure1", s.name)[bin_name] for s in sets
    ]
    columns = sum(map(len, shown))
    margin = LEFT + EDGE + BETWEEN * (len(sets) - 1) + GAP * (columns - len(sets))
    side = fit_cell_size(sets[0].images.shape[1], columns, margin)
    figure, axes = create_canvas(margin + columns * side, TOP + 2 * side + GAP + BELOW)

    x = LEFT
    for faces, positions in zip(sets, shown, strict=True):
        width = len(positions) * (side + GAP) - GAP
        axes.text(x + width / 2, TOP - 10, faces.title, ha="center", va="baseline", weight="bold")
        for at in positions:
            truth, hole = faces.truth(bin_name, at), faces.hole(bin_name, at)
            draw_image(axes, mask_hole(truth, hole), x, TOP, side)
            draw_image(axes, faces.completion(method, bin_name, at), x, TOP + side + GAP, side)
            x += side + GAP
        x += BETWEEN - GAP
    for row, label in enumerate(("Input", title)):
        y = TOP + row * (side + GAP) + side / 2
        axes.text(LEFT - 8, y, label, rotation=90, ha="right", va="center")
    about = [f"holes of {format_bin(bin_name)}", "images drawn by seed", f"profile {profile}"]
    draw_caption(axes, LEFT, TOP + 2 * side + GAP + 26, about)
    return figure
