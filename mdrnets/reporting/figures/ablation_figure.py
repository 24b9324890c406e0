"""Figure 6 of the paper: input, the completions of a method's variants, and the ground truth."""

from collections.abc import Mapping, Sequence
from textwrap import wrap

from matplotlib.figure import Figure

from mdrnets.config.load import Config
from mdrnets.layout import Layout
from mdrnets.reporting.figures.completed_set import CompletedSet, choose_images, read_completed_set
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

SAMPLES = 4
LEFT, TOP, EDGE = 34, 10, 10  # pixels
LINE = 22  # pixels between two lines
LETTER = 10  # pixels, mean width


def render(config: Config, layout: Layout, name: str) -> None:
    """Write a figure of `figures` in params.yaml, NAME.png and .pdf."""
    entry = config.figures[name]
    titles = {c: config.network(config.variant(c)).title for c in entry.columns}
    shown = {config.variant(c): title for c, title in titles.items() if config.runs(c)}
    figure = draw(
        read_completed_set(config, config.profile.first_dataset, shown),
        variants=shown,
        left_out=[title for c, title in titles.items() if not config.runs(c)],
        title=entry.title,
        name=name,
        bin_name=config.protocol.largest_bin,
        seed=config.protocol.seed,
        profile=config.name,
    )
    save_figure(figure, layout.report(name))


@with_figure_style
def draw(
    faces: CompletedSet,
    *,
    variants: Mapping[str, str],
    left_out: Sequence[str],
    title: str,
    name: str,
    bin_name: str,
    seed: int,
    profile: str,
) -> Figure:
    """Draw a row for each image.

    Args:
        faces: the data set, with completions by all `variants`.
        variants: name → title, in the order of the columns.
        left_out: titles of the variants that the profile does not run.
        title: of the figure.
        name: of the figure; images are chosen by it.
        bin_name: the largest bin.
        seed: of the choice of images.
        profile: name, for the caption.
    """
    titles = ["Input", *variants.values(), "Ground truth"]
    positions = choose_images(faces.count, [bin_name], SAMPLES, seed, name, faces.name)[bin_name]
    about = [
        [title, f"holes of {format_bin(bin_name)}"],
        ["images drawn by seed", f"profile {profile}"],
        *[[f"not run in this profile: {variant}"] for variant in left_out],
    ]

    margin = LEFT + EDGE + GAP * (len(titles) - 1)
    side = fit_cell_size(faces.images.shape[1], len(titles), margin)
    bottom = TOP + len(positions) * (side + GAP) - GAP
    labels = [wrap(column_title, side // LETTER) for column_title in titles]
    below = bottom + LINE * max(map(len, labels))
    figure, axes = create_canvas(margin + len(titles) * side, below + LINE * (len(about) + 1))

    axes.text(26, (TOP + bottom) / 2, faces.title, rotation=90, ha="right", va="center")
    for row, at in enumerate(positions):
        for column, face in enumerate(faces.versions(variants, bin_name, at)):
            draw_image(axes, face, LEFT + column * (side + GAP), TOP + row * (side + GAP), side)
    for column, lines in enumerate(labels):
        x = LEFT + column * (side + GAP) + side / 2
        for number, line in enumerate(lines, start=1):
            axes.text(x, bottom + LINE * number, line, ha="center", va="baseline", size=6.5)
    for number, parts in enumerate(about, start=1):
        draw_caption(axes, LEFT, below + LINE * number + 6, parts)
    return figure
