"""Figure 5 of the paper: the input, the completions of all methods and the ground truth."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from mdrnets.config.load import Config
from mdrnets.layout import Layout
from mdrnets.reporting.figures.completed_set import CompletedSet, choose_images, read_completed_sets
from mdrnets.reporting.figures.style import (
    GAP,
    create_canvas,
    draw_caption,
    draw_image,
    fit_cell_size,
    save_figure,
    with_figure_style,
)
from mdrnets.reporting.tables.cells import format_bin

SAMPLES = 2  # of each bin and data set
SET_GAP, BIN_GAP = 30, 14  # pixels
LEFT, TOP, BELOW, EDGE = 66, 36, 40, 10


def render(config: Config, layout: Layout, name: str) -> None:
    """Write figure5.png and .pdf."""
    methods = config.method_titles
    sets = read_completed_sets(config, methods)
    figure = draw(sets, methods=methods, seed=config.protocol.seed, profile=config.name)
    save_figure(figure, layout.report(name))


@with_figure_style
def draw(
    sets: Sequence[CompletedSet], *, methods: Mapping[str, str], seed: int, profile: str
) -> Figure:
    """Draw a row for each face.

    Args:
        sets: the data sets, with completions by all `methods`.
        methods: name → title, in the order of the columns.
        seed: of the choice of images.
        profile: name, for the caption.
    """
    titles = ["Input", *methods.values(), "Ground truth"]
    margin = LEFT + EDGE + GAP * (len(titles) - 1)
    side = fit_cell_size(sets[0].images.shape[1], len(titles), margin)
    shown = [choose_figure5_images(faces, seed) for faces in sets]
    height = TOP + BELOW + sum(_height(choice, side) for choice in shown)
    height += SET_GAP * (len(sets) - 1)
    figure, axes = create_canvas(margin + len(titles) * side, height)

    for column, title in enumerate(titles):
        x = LEFT + column * (side + GAP) + side / 2
        axes.text(x, TOP - 12, title, ha="center", va="baseline", size=6.5)
    y = TOP
    for faces, choice in zip(sets, shown, strict=True):
        middle = y + _height(choice, side) / 2
        axes.text(26, middle, faces.title, rotation=90, ha="right", va="center", weight="bold")
        for bin_name, positions in choice.items():
            middle = y + (len(positions) * (side + GAP) - GAP) / 2
            axes.text(LEFT - 8, middle, format_bin(bin_name), rotation=90, ha="right", va="center")
            for at in positions:
                for column, face in enumerate(faces.versions(methods, bin_name, at)):
                    draw_image(axes, face, LEFT + column * (side + GAP), y, side)
                y += side + GAP
            y += BIN_GAP - GAP
        y += SET_GAP - BIN_GAP
    y -= SET_GAP
    about = ["images drawn by seed", "rows by hole ratio", f"profile {profile}"]
    draw_caption(axes, LEFT, y + 26, about)
    return figure


def choose_figure5_images(faces: CompletedSet, seed: int) -> dict[str, list[int]]:
    """The positions of the images that Figure 5 shows, by bin."""
    return choose_images(faces.count, list(faces.bins), SAMPLES, seed, "figure5", faces.name)


def _height(choice: Mapping[str, Sequence[int]], side: int) -> int:
    """Height of the rows of a data set in pixels."""
    bins = [len(positions) * (side + GAP) - GAP for positions in choice.values()]
    return sum(bins) + BIN_GAP * (len(bins) - 1)
