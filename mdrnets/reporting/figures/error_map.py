"""Where each method errs: the mean absolute error of every pixel of the face, over the test images.

At a pixel: the mean of |completion − truth| over the images whose hole contains it, over all bins
and the colour channels, in % of the range of values.
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
    GREY,
    axes_at,
    caption,
    cell_size,
    pixel_canvas,
    save_figure,
    show,
    styled,
)

NEVER = "0.8"  # colour of pixels that no hole contains
LEFT, TOP, BELOW, RIGHT = 10, 8, 66, 96
OVER, UNDER = 30, 32  # pixels for the title over each row and the numbers under it
BAR = 14  # pixels: width of the colour bar


def render(config: Config, layout: Layout, name: str) -> None:
    """Write error_map.png and .pdf."""
    methods = config.method_titles
    sets = read_completed_sets(config, layout, methods)
    save_figure(draw(sets, methods=methods, profile=config.name), layout.report(name))


def error_map(of_set: CompletedSet, method: str) -> np.ndarray:
    """The mean error of each pixel in %, float64 H×W; NaN where there was never a hole."""
    height, width = of_set.images.shape[1:3]
    total, count = np.zeros((height, width)), np.zeros((height, width), dtype=np.int64)
    for of_bin, pairs in of_set.bins.items():
        for at in range(len(pairs)):
            hole = of_set.hole(of_bin, at)
            truth = of_set.truth(of_bin, at).astype(np.int16)
            error = np.abs(of_set.completed(method, of_bin, at) - truth).mean(axis=2)
            total += error * hole
            count += hole
    with np.errstate(invalid="ignore"):
        return 100 / 255 * total / count


@styled
def draw(sets: Sequence[CompletedSet], *, methods: Mapping[str, str], profile: str) -> Figure:
    """Draw the mean face, then a map for each method, all in one scale.

    Args:
        sets: the data sets, with completions by all `methods`.
        methods: name → title, in the order of the columns.
        profile: name, for the caption.
    """
    titles = ["Mean image", *methods.values()]
    margin = LEFT + RIGHT + GAP * (len(titles) - 1)
    side = cell_size(sets[0].images.shape[1], len(titles), margin)
    bottom = TOP + len(sets) * (OVER + side + UNDER)
    figure, axes = pixel_canvas(margin + len(titles) * side, bottom + BELOW)

    maps = [[error_map(of_set, method) for method in methods] for of_set in sets]
    # The most extreme pixels, seldom in a hole, must not decide the scale of all others.
    norm = Normalize(0, float(np.nanpercentile(maps, 99.5)), clip=True)
    colours = colormaps["magma"].with_extremes(bad=NEVER)
    for row, (of_set, of_methods) in enumerate(zip(sets, maps, strict=True)):
        y = TOP + row * (OVER + side + UNDER) + OVER
        axes.text(LEFT, y - 9, of_set.title, va="baseline", weight="bold")
        show(axes, _mean_image(of_set), LEFT, y, side)
        for column, values in enumerate(of_methods, start=1):
            x = LEFT + column * (side + GAP)
            picture = colours(norm(np.ma.masked_invalid(values)), bytes=True)[..., :3]
            show(axes, picture, x, y, side)
            mean = f"{np.nanmean(values):.1f} %"
            axes.text(x + side / 2, y + side + 20, mean, ha="center", va="baseline", size=6)
    for column, title in enumerate(titles):
        middle = LEFT + column * (side + GAP) + side / 2
        axes.text(middle, bottom + 16, title, ha="center", va="baseline", size=6.5)

    left = LEFT + len(titles) * (side + GAP) + 8
    beside = axes_at(figure, left, TOP + OVER, BAR, bottom - UNDER - TOP - OVER)
    bar = figure.colorbar(ScalarMappable(norm, colours), cax=beside, extend="max")
    bar.set_label("error, %", size=6)
    bar.outline.set_linewidth(0.5)  # type: ignore[operator]
    line = caption(
        [
            "mean |completion − truth| where a hole was, over all bins",
            f"profile {profile}",
        ]
    )
    axes.text(LEFT, bottom + 50, line, va="baseline", color=GREY, size=6)
    return figure


def _mean_image(of_set: CompletedSet) -> np.ndarray:
    pairs = next(iter(of_set.bins.values()))
    rows = [pair.image_row for pair in pairs]
    return of_set.images[rows].mean(axis=0).round().astype(np.uint8)
