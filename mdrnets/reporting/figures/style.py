"""The style of all figures, and how they are saved as PNG and PDF.

Figures are made without pyplot, which would keep them in a global list, and from matplotlib's own
defaults, not from the user's: the same input and library versions give the same bytes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mdrnets.files import atomic_write

DPI = 200
WIDTH = 7.2  # inches, of figures with axes: both columns of a page
FOOT = 0.24  # inches below the panels, for the caption
MIN_WIDTH, MAX_WIDTH = 720, 1600  # pixels, of any figure; the caption needs the former
CELL = 160  # pixels: the largest side of a face
GAP = 6  # pixels between faces
GREY = "0.35"
HOLE = 255  # white, like the page
RC = {
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.titleweight": "bold",
    "axes.labelsize": 7,
    "axes.linewidth": 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "0.92",
    "grid.linewidth": 0.5,
    "xtick.labelsize": 6,
    "ytick.labelsize": 6,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "xtick.major.size": 2,
    "ytick.major.size": 2,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.2,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "image.composite_image": False,  # each face stays a separate image in the PDF
    "pdf.fonttype": 42,  # text as text, in TrueType fonts
}
# Okabe & Ito, "Color Universal Design" (2008), its yellow darkened for white paper.
COLOURS = (
    "#56B4E9",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#0072B2",
    "#B8A800",
    "#D55E00",
    "#000000",
)
MARKERS = "osD^vPXh"


@dataclass(frozen=True)
class LineStyle:
    """The colour and the marker of a method. No two methods differ by colour alone."""

    colour: str
    marker: str


def make_line_styles(names: Iterable[str]) -> dict[str, LineStyle]:
    """A line style for each name, by its position. After eight, colours repeat with other markers.

    Args:
        names: all methods of the protocol, so that each has the same style in every profile.
    """
    return {
        name: LineStyle(
            COLOURS[at % len(COLOURS)], MARKERS[(at + at // len(COLOURS)) % len(MARKERS)]
        )
        for at, name in enumerate(names)
    }


def with_figure_style(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Decorate a function that draws a figure: it runs with `RC` over matplotlib's own defaults."""
    return style.context(RC, after_reset=True)(draw)


def fit_cell_size(pixels: int, columns: int, margin: int) -> int:
    """The side of a face in pixels of the figure: a multiple of the image's size, if it fits.

    Args:
        pixels: side of the images.
        columns: number of faces in a row.
        margin: width of everything else, gaps included.
    """
    room = min(CELL, (MAX_WIDTH - margin) // columns)
    return room // pixels * pixels or room


def create_canvas(width: int, height: int) -> tuple[Figure, Axes]:
    """A figure of this size in pixels, with axes over all of it: x to the right, y downwards."""
    width = max(width, MIN_WIDTH)
    figure = Figure(figsize=(width / DPI, height / DPI))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, width), ylim=(height, 0), autoscale_on=False)
    return figure, axes


def add_axes_at(figure: Figure, x: float, y: float, width: float, height: float) -> Axes:
    """Axes whose upper left corner is at the pixel (x, y) of the figure."""
    across, down = figure.get_size_inches() * DPI
    return figure.add_axes((x / across, 1 - (y + height) / down, width / across, height / down))


def draw_image(axes: Axes, image: np.ndarray, x: float, y: float, side: int) -> None:
    """Draw a face on the canvas, with its upper left corner at (x, y).

    Args:
        axes: of `create_canvas`.
        image: uint8 H×W×3.
        x: from the left.
        y: from the top.
        side: in pixels. Unless the image is downscaled, each of its pixels is a square.
    """
    smaller = side < len(image)
    axes.imshow(
        image,
        extent=(x, x + side, y + side, y),
        interpolation="antialiased" if smaller else "none",
        aspect="auto",
    )


def mask_hole(image: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """A face with its hole in white. Shapes H×W×3 and H×W."""
    return np.where(hole[..., None], np.uint8(HOLE), image)


def create_panel_figure(height: float, parts: Sequence[str]) -> Figure:
    """A figure for panels with axes, `WIDTH` wide, with a caption at the lower left.

    Args:
        height: in inches.
        parts: of the caption.
    """
    figure = Figure(figsize=(WIDTH, height))
    below = FOOT / height
    figure.set_layout_engine("constrained", rect=(0, below, 1, 1 - below))
    figure.text(0.01, 0.3 * below, join_caption(parts), va="baseline", color=GREY, size=6)
    return figure


def draw_caption(axes: Axes, x: float, y: float, parts: Sequence[str]) -> None:
    """Draw a line of the caption on the canvas, beginning at (x, y)."""
    axes.text(x, y, join_caption(parts), va="baseline", color=GREY, size=6)


def join_caption(parts: Sequence[str]) -> str:
    """Join the parts of the caption below a figure."""
    return "  ·  ".join(parts)


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG and PDF, without the time and the program in their metadata.

    Args:
        figure: to write.
        path: of both files, without suffix.
    """
    with style.context(RC, after_reset=True):
        with atomic_write(path.with_suffix(".png")) as temporary:
            figure.savefig(temporary, format="png", dpi=DPI, metadata={"Software": None})
        with atomic_write(path.with_suffix(".pdf")) as temporary:
            about = {"CreationDate": None, "Creator": None, "Producer": None}
            figure.savefig(temporary, format="pdf", dpi=DPI, metadata=about)
