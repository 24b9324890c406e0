"""Figure 6 of the paper: input, the completions of a method's variants, and the ground truth."""

from collections.abc import Mapping, Sequence
from textwrap import wrap

from matplotlib.figure import Figure

from mdrnets.config.load import Config
from mdrnets.layout import Layout
from mdrnets.reporting.figures.completed_set import CompletedSet, chosen, read_completed_set
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

SAMPLES = 4
LEFT, TOP, EDGE = 34, 10, 10  # pixels
LINE = 22  # from line to line
LETTER = 10  # their names' mean width


def render(config: Config, layout: Layout, name: str) -> None:
    """Write a figure of `figures` in params.yaml, NAME.png and .pdf."""
    entry = config.figures[name]
    titles = {c: config.network(config.variant(c)).title for c in entry.columns}
    shown = {config.variant(c): title for c, title in titles.items() if config.runs(c)}
    figure = draw(
        read_completed_set(config, layout, config.profile.first_dataset, shown),
        variants=shown,
        left_out=[title for c, title in titles.items() if not config.runs(c)],
        title=entry.title,
        name=name,
        of_bin=config.protocol.largest_bin,
        seed=config.protocol.seed,
        profile=config.name,
    )
    save_figure(figure, layout.report(name))


@styled
def draw(
    of_set: CompletedSet,
    *,
    variants: Mapping[str, str],
    left_out: Sequence[str],
    title: str,
    name: str,
    of_bin: str,
    seed: int,
    profile: str,
) -> Figure:
    """Draw a row for each image.

    Args:
        of_set: the data set, with completions by all `variants`.
        variants: name → title, in the order of the columns.
        left_out: titles of those that have no completions here.
        title: of the figure.
        name: of the figure, part of the choice of images.
        of_bin: the largest bin.
        seed: of the choice of images.
        profile: name, for the caption.
    """
    titles = ["Input", *variants.values(), "Ground truth"]
    positions = chosen(of_set.count, [of_bin], SAMPLES, seed, name, of_set.name)[of_bin]
    about = [
        caption([title, f"holes of {bin_title(of_bin)}"]),
        caption(["images drawn by seed", f"profile {profile}"]),
        *[f"not run in this profile: {variant}" for variant in left_out],
    ]

    margin = LEFT + EDGE + GAP * (len(titles) - 1)
    side = cell_size(of_set.images.shape[1], len(titles), margin)
    bottom = TOP + len(positions) * (side + GAP) - GAP
    names = [wrap(of_column, side // LETTER) for of_column in titles]
    below = bottom + LINE * max(map(len, names))
    figure, axes = pixel_canvas(margin + len(titles) * side, below + LINE * (len(about) + 1))

    axes.text(26, (TOP + bottom) / 2, of_set.title, rotation=90, ha="right", va="center")
    for row, at in enumerate(positions):
        for column, face in enumerate(of_set.versions(variants, of_bin, at)):
            show(axes, face, LEFT + column * (side + GAP), TOP + row * (side + GAP), side)
    for column, of_column in enumerate(names):
        x = LEFT + column * (side + GAP) + side / 2
        for number, line in enumerate(of_column, start=1):
            axes.text(x, bottom + LINE * number, line, ha="center", va="baseline", size=6.5)
    for number, line in enumerate(about, start=1):
        y = below + LINE * number + 6
        axes.text(LEFT, y, line, va="baseline", color=GREY, size=6)
    return figure
