import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mdrnets.evaluation.memory_use import NONE, MemoryUse
from mdrnets.reporting.figures import memory_slots
from mdrnets.reporting.figures.memory_slots import OUTSIDE, ShownMemory, crop_region
from mdrnets.reporting.figures.style import MAX_WIDTH
from tests.helpers.made_up import pictures, texts

CLASSES = ("skin", "eye")
SIZE = 16


def _memory(title: str = "Rendered faces A", *, slots: int = 2, parts: int = 2) -> ShownMemory:
    """Of the eye one slot was read, and one image alone has an eye, at the upper left."""
    shape = (len(CLASSES), slots, parts)
    regions = np.zeros((*shape, SIZE, SIZE), dtype=bool)
    regions[0] = True
    regions[1, 0, 0, :2, :3] = True
    images = np.zeros(shape, dtype=np.int64)
    images[1] = NONE
    images[1, 0, 0] = 1
    use = MemoryUse(
        chosen=np.array([[1, 3, 0], [0, 0, 5]]),
        entropy=np.zeros(2),
        length=np.ones(2),
        slots=np.array([[1, 0], [2, NONE]])[:, :slots],
        images=images,
        cosines=np.ones(shape, dtype=np.float32),
        regions=regions,
    )
    faces = np.random.default_rng(0).integers(0, 200, (2, SIZE, SIZE, 3), dtype=np.uint8)
    return ShownMemory(title, use, faces)


def _draw(*memories: ShownMemory) -> Figure:
    return memory_slots.draw(memories, classes=CLASSES, method="MDRNets", profile="tiny")


def test_a_part_is_the_square_around_its_region() -> None:
    image = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)
    region = np.zeros((8, 8), dtype=bool)
    region[4, 2:6] = True
    square = crop_region(image, region)
    assert square.shape == (4, 4, 3)
    assert np.array_equal(square[2], image[4, 2:6])
    assert (np.delete(square, 2, axis=0) == OUTSIDE).all()


@pytest.mark.parametrize(
    ("rows", "columns", "side"),
    [((0, 1), (0, 8), 8), ((7, 8), (5, 8), 3), ((0, 8), (7, 8), 8), ((3, 4), (3, 4), 1)],
)
def test_a_part_stays_inside_the_image(
    rows: tuple[int, int], columns: tuple[int, int], side: int
) -> None:
    image = np.random.default_rng(1).integers(0, 200, (8, 8, 3), dtype=np.uint8)
    region = np.zeros((8, 8), dtype=bool)
    region[slice(*rows), slice(*columns)] = True
    square = crop_region(image, region)
    assert square.shape == (side, side, 3)
    assert (square != OUTSIDE).all(axis=2).sum() == region.sum()


def test_every_slot_that_was_read_has_its_parts_and_share() -> None:
    memory = _memory()
    figure = _draw(memory)
    result = pictures(figure)
    assert len(result) == 4 + 1
    assert all(np.array_equal(picture, memory.images[0]) for picture in result[:4])
    assert np.array_equal(result[4][:2, :3], memory.images[1, :2, :3])
    assert (result[4][2] == OUTSIDE).all()
    written = texts(figure)
    assert {"75 %", "25 %", "100 %", *CLASSES, "Rendered faces A"} <= set(written)
    assert any("MDRNets" in text and "profile tiny" in text for text in written)


def test_a_slot_that_was_hardly_read_was_read_nevertheless() -> None:
    memory = _memory()
    memory.use.chosen[0] = [1, 300, 0]
    assert {"100 %", "<1 %"} <= set(texts(_draw(memory)))


def test_data_sets_stand_side_by_side() -> None:
    figure = _draw(_memory(), _memory("Rendered faces B"))
    images = figure.axes[0].get_images()
    assert len(images) == 10
    lefts = [image.get_extent()[0] for image in images]
    assert max(lefts[:5]) < min(lefts[5:])
    assert "Rendered faces B" in texts(figure)


@pytest.mark.parametrize("sets", [1, 2, 3])
def test_no_text_is_cut_off_and_no_figure_too_wide(sets: int) -> None:
    figure = _draw(*[_memory(parts=4)] * sets)
    width, height = figure.get_size_inches() * figure.dpi
    assert width <= MAX_WIDTH
    renderer = FigureCanvasAgg(figure).get_renderer()
    for text in figure.axes[0].texts:
        box = text.get_window_extent(renderer)
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
