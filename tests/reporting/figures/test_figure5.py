import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mdrnets.reporting.figures import figure5
from mdrnets.reporting.figures.completed_set import CompletedSet
from mdrnets.reporting.figures.style import MAX_WIDTH
from tests.helpers.made_up import METHODS, SETS, make_sets, pictures, texts


def _draw(sets: list[CompletedSet], methods: dict[str, str] = METHODS) -> Figure:
    return figure5.draw(sets, methods=methods, seed=2204, profile="tiny")


def test_a_row_is_input_every_method_and_ground_truth() -> None:
    sets = make_sets()
    result = pictures(_draw(sets))
    columns = len(METHODS) + 2
    assert len(result) == columns * 2 * 3 * 2  # rows: 2 data sets, 3 bins, 2 images
    masked, first, second, truth = result[:columns]
    (at,) = [at for at in range(6) if np.array_equal(truth, sets[0].images[at])]
    hole = sets[0].hole("1-20", at)
    assert (masked[hole] == 255).all() and np.array_equal(masked[~hole], truth[~hole])
    assert np.array_equal(first, sets[0].completion("pconv", "1-20", at))
    assert np.array_equal(second, sets[0].completion("mdrnets", "1-20", at))


def test_names_stand_above_the_columns_in_their_order() -> None:
    figure = _draw(make_sets())
    titles = ["Input", *METHODS.values(), "Ground truth"]
    actual = [text for text in figure.axes[0].texts if text.get_text() in titles]
    assert [text.get_text() for text in actual] == titles
    top = min(image.get_extent()[3] for image in figure.axes[0].get_images())
    middles = []
    for image in figure.axes[0].get_images()[: len(titles)]:
        left, right, *_ = image.get_extent()
        middles.append((left + right) / 2)
    assert [text.get_position()[0] for text in actual] == middles
    assert all(text.get_position()[1] < top for text in actual)


def test_rows_say_their_bin_and_data_set() -> None:
    result = texts(_draw(make_sets()))
    assert set(SETS.values()) <= set(result)
    assert [result.count(title) for title in ("1–20 %", "20–40 %", "40–60 %")] == [2, 2, 2]
    assert any("profile tiny" in text for text in result)


def test_the_choice_of_images_is_independent_of_the_methods() -> None:
    sets = make_sets()
    both = pictures(_draw(sets))
    one = pictures(_draw(sets, {"mdrnets": "MDRNets"}))
    assert all(np.array_equal(a, b) for a, b in zip(both[::4], one[::3], strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(both[3::4], one[2::3], strict=True))


@pytest.mark.parametrize("count", [1, 2, 12])
def test_no_text_is_cut_off_and_no_figure_too_wide(count: int) -> None:
    sets = make_sets(methods=tuple(f"m{number}" for number in range(count)))
    figure = _draw(sets, {f"m{number}": f"Method {number}" for number in range(count)})
    width, height = figure.get_size_inches() * figure.dpi
    assert width <= MAX_WIDTH
    renderer = FigureCanvasAgg(figure).get_renderer()
    for text in figure.axes[0].texts:
        box = text.get_window_extent(renderer)
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
