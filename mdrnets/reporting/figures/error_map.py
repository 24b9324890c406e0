"""The mean absolute error of each pixel of the face, by method.

The error of a pixel is the mean of |completion − truth| over all bins, over the test images whose
hole contains it, and over the colour channels, in % of the range of values.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from mdrnets.config.load import Config
from mdrnets.layout import Layout
from mdrnets.reporting.figures.completed_set import CompletedSet, read_completed_sets
from mdrnets.reporting.figures.style import (
    GAP,
    add_axes_at,
    create_canvas,
    draw_caption,
    draw_image,
    fit_cell_size,
    save_figure,
    with_figure_style,
)

NO_HOLE = "0.8"  # colour of pixels that no hole contains
LEFT, TOP, BELOW, RIGHT = 10, 8, 66, 96
OVER, UNDER = 30, 32  # pixels for the title above each row and the numbers below it
BAR = 14  # width of the colour bar in pixels


def render(config: Config, layout: Layout, name: str) -> None:
    """Write error_map.png and .pdf."""
    methods = config.method_titles
    sets = read_completed_sets(config, methods)
    save_figure(draw(sets, methods=methods, profile=config.name), layout.report(name))


def compute_error_map(faces: CompletedSet, method: str) -> np.ndarray:
    """The mean error of each pixel in %, float64 H×W; NaN where no hole is."""
    height, width = faces.images.shape[1:3]
    total, count = np.zeros((height, width)), np.zeros((height, width), dtype=np.int64)
    for bin_name, pairs in faces.bins.items():
        for at in range(len(pairs)):
            hole = faces.hole(bin_name, at)
            truth = faces.truth(bin_name, at).astype(np.int16)
            error = np.abs(faces.completion(method, bin_name, at) - truth).mean(axis=2)
            total += error * hole
            count += hole
    with np.errstate(invalid="ignore"):
        error_map: np.ndarray = 100 / 255 * total / count
    return error_map


@with_figure_style
def draw(sets: Sequence[CompletedSet], *, methods: Mapping[str, str], profile: str) -> Figure:
    """Draw the mean face and a map for each method, all with the same scale.

    Args:
        sets: the data sets, with completions by all `methods`.
        methods: name → title, in the order of the columns.
        profile: name, for the caption.
    """
    titles = ["Mean image", *methods.values()]
    margin = LEFT + RIGHT + GAP * (len(titles) - 1)
    side = fit_cell_size(sets[0].images.shape[1], len(titles), margin)
    bottom = TOP + len(sets) * (OVER + side + UNDER)
    figure, axes = create_canvas(margin + len(titles) * side, bottom + BELOW)

    maps = [[compute_error_map(faces, method) for method in methods] for faces in sets]
    # A few extreme pixels, which are rarely in a hole, must not set the scale.
    norm = Normalize(0, float(np.nanpercentile(maps, 99.5)), clip=True)
    colours = colormaps["magma"].with_extremes(bad=NO_HOLE)
    for row, (faces, row_maps) in enumerate(zip(sets, maps, strict=True)):
        y = TOP + row * (OVER + side + UNDER) + OVER
        axes.text(LEFT, y - 9, faces.title, va="baseline", weight="bold")
        draw_image(axes, _mean_image(faces), LEFT, y, side)
        for column, values in enumerate(row_maps, start=1):
            x = LEFT + column * (side + GAP)
            picture = colours(norm(np.ma.masked_invalid(values)), bytes=True)[..., :3]
            draw_image(axes, picture, x, y, side)
            mean = f"{np.nanmean(values):.1f} %"
            axes.text(x + side / 2, y + side + 20, mean, ha="center", va="baseline", size=6)
    for column, title in enumerate(titles):
        middle = LEFT + column * (side + GAP) + side / 2
        axes.text(middle, bottom + 16, title, ha="center", va="baseline", size=6.5)

    left = LEFT + len(titles) * (side + GAP) + 8
    beside = add_axes_at(figure, left, TOP + OVER, BAR, bottom - UNDER - TOP - OVER)
    bar = figure.colorbar(ScalarMappable(norm, colours), cax=beside, extend="max")
    bar.set_label("error, %", size=6)
    bar.outline.set_linewidth(0.5)
    about = ["mean |completion − truth| where a hole was, over all bins", f"profile {profile}"]
    draw_caption(axes, LEFT, bottom + 50, about)
    return figure


def _mean_image(faces: CompletedSet) -> np.ndarray:
    rows = [pair.image_row for pair in next(iter(faces.bins.values()))]
    mean: np.ndarray = faces.images[rows].mean(axis=0).round().astype(np.uint8)
    return mean
