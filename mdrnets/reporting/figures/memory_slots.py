"""The slots of the memory that each class reads most, shown by the nearest parts of training faces.

Nearest by the cosine of the slot and the style of the class in a training image (equation 1).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from mdrnets.config.load import Config
from mdrnets.dag.evaluate import inspected_method
from mdrnets.data.classes import CLASSES
from mdrnets.data.dataset import map_images
from mdrnets.evaluation.memory_use import NONE, MemoryUse, load_memory_use
from mdrnets.layout import Layout
from mdrnets.reporting.figures.style import (
    GAP,
    create_canvas,
    draw_caption,
    draw_image,
    fit_cell_size,
    save_figure,
    with_figure_style,
)

OUTSIDE = 238  # grey of the pixels that do not belong to the class
LEFT, TOP, BELOW, EDGE = 130, 34, 44, 10  # pixels
SLOT_GAP, SET_GAP = 30, 40  # to the left of a slot, and in addition of a data set


@dataclass(frozen=True)
class ShownMemory:
    """The memory of a data set: a block of the figure.

    Attributes:
        title: of the data set.
        use: of the memory.
        images: uint8 N×H×W×3, indexed by `use.images`.
    """

    title: str
    use: MemoryUse
    images: np.ndarray


def render(config: Config, layout: Layout, name: str) -> None:
    """Write memory_slots.png and .pdf."""
    method = inspected_method(config)
    assert method is not None, "without one the profile has no such stage"
    memories = [
        ShownMemory(
            entry.title,
            load_memory_use(layout.memory_use(dataset, method)),
            map_images(layout, dataset),
        )
        for dataset, entry in config.profile.datasets.items()
    ]
    title = config.network(method).title
    figure = draw(memories, classes=CLASSES, method=title, profile=config.name)
    save_figure(figure, layout.report(name))


def crop_region(image: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Crop the square around a region, uint8 s×s×3. Pixels outside the region are grey.

    Args:
        image: uint8 H×W×3.
        region: bool H×W, not empty.
    """
    rows, columns = (np.flatnonzero(region.any(axis=axis)) for axis in (1, 0))
    side = max(np.ptp(rows), np.ptp(columns)) + 1
    top = min(max(0, (rows[0] + rows[-1] + 1 - side) // 2), len(image) - side)
    left = min(max(0, (columns[0] + columns[-1] + 1 - side) // 2), len(image) - side)
    square = (slice(top, top + side), slice(left, left + side))
    return np.where(region[square][..., None], image[square], np.uint8(OUTSIDE))


@with_figure_style
def draw(
    memories: Sequence[ShownMemory], *, classes: Sequence[str], method: str, profile: str
) -> Figure:
    """Draw a row for each class and a block for each data set.

    Args:
        memories: one for each data set.
        classes: names, K.
        method: title of the method.
        profile: name, for the caption.
    """
    _, slots, parts = memories[0].use.images.shape
    columns = len(memories) * slots * parts
    slot_margin = SLOT_GAP + GAP * (parts - 1)
    margin = LEFT + EDGE + len(memories) * slots * slot_margin + SET_GAP * (len(memories) - 1)
    side = fit_cell_size(memories[0].images.shape[1], columns, margin)
    bottom = TOP + len(classes) * (side + GAP)
    figure, axes = create_canvas(margin + columns * side, bottom + BELOW)

    for row, name in enumerate(classes):
        y = TOP + row * (side + GAP)
        axes.text(LEFT - 8, y + side / 2, name, ha="right", va="center")
    x = LEFT
    for memory in memories:
        block = slots * (slot_margin + parts * side)
        axes.text(
            (x + SLOT_GAP + x + block) / 2, TOP - 12, memory.title, ha="center", weight="bold"
        )
        reads = memory.use.chosen.sum(axis=1)
        for (row, at), slot in np.ndenumerate(memory.use.slots):
            if slot == NONE:
                continue
            left = x + at * (slot_margin + parts * side) + SLOT_GAP
            y = TOP + row * (side + GAP)
            percent = 100 * memory.use.chosen[row, slot] / reads[row]
            share = f"{percent:.0f} %" if percent >= 1 else "<1 %"
            axes.text(left - 4, y + side / 2, share, rotation=90, ha="right", va="center", size=6)
            for number, image in enumerate(memory.use.images[row, at]):
                if image != NONE:
                    region = memory.use.regions[row, at, number]
                    picture = crop_region(memory.images[image], region)
                    draw_image(axes, picture, left + number * (side + GAP), y, side)
        x += block + SET_GAP
    about = [
        f"{method}: the slots read most, with their share of the class's reads in the test",
        f"the {parts} training images nearest to each",
        f"profile {profile}",
    ]
    draw_caption(axes, EDGE, bottom + 26, about)
    return figure
