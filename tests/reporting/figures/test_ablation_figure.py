from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mdrnets.reporting.figures import ablation_figure
from mdrnets.reporting.figures.style import MAX_WIDTH
from tests.helpers.made_up import COUNT, make_sets, pictures, texts

VARIANTS = {"ours@without_mrem": "w/o MREM", "ours": "Ours"}


def _draw(
    variants: dict[str, str] = VARIANTS,
    left_out: tuple[str, ...] = (),
    name: str = "figure6a",
    times: int = 1,
) -> Figure:
    faces = make_sets(methods=tuple(VARIANTS))[0]
    return ablation_figure.draw(
        replace(
            faces,
            images=_enlarge(faces.images, times),
            holes=_enlarge(faces.holes[..., None], times)[..., 0],
            completions={m: _enlarge(c, times) for m, c in faces.completions.items()},
        ),
        variants=variants,
        left_out=left_out,
        title="Figure 6 (a): modules",
        name=name,
        bin_name="40-60",
        seed=2204,
        profile="tiny",
    )


def _enlarge(images: np.ndarray, times: int) -> np.ndarray:
    return images.repeat(times, axis=-3).repeat(times, axis=-2)


def test_a_row_is_input_every_variant_and_ground_truth() -> None:
    faces = make_sets(methods=tuple(VARIANTS))[0]
    result = pictures(_draw())
    assert len(result) == 4 * 4  # images, columns
    rows = []
    for start in range(0, len(result), 4):
        masked, first, second, truth = result[start : start + 4]
        (at,) = [at for at in range(COUNT) if np.array_equal(truth, faces.images[at])]
        hole = faces.hole("40-60", at)
        assert (masked[hole] == 255).all() and np.array_equal(masked[~hole], truth[~hole])
        assert np.array_equal(first, faces.completion("ours@without_mrem", "40-60", at))
        assert np.array_equal(second, faces.completion("ours", "40-60", at))
        rows.append(at)
    assert len(set(rows)) == 4


def test_names_stand_under_the_columns_in_their_order() -> None:
    figure = _draw()
    titles = ["Input", *VARIANTS.values(), "Ground truth"]
    result = [text for text in figure.axes[0].texts if text.get_text() in titles]
    assert [text.get_text() for text in result] == titles
    images = figure.axes[0].get_images()
    lowest = max(image.get_extent()[2] for image in images)
    for text, image in zip(result, images, strict=False):
        left, right, *_ = image.get_extent()
        assert text.get_position()[0] == (left + right) / 2
        assert text.get_position()[1] > lowest


def test_it_says_what_it_shows_and_what_not() -> None:
    result = texts(_draw())
    assert any("Figure 6 (a): modules" in text and "40–60 %" in text for text in result)
    assert any("images drawn by seed" in text for text in result)
    assert any("profile tiny" in text for text in result)
    assert "Rendered faces A" in result
    assert not any("not run" in text for text in result)
    left_out = texts(_draw({"ours": "Ours"}, ("w/o MREM, w/o DMM", "w/o MREM")))
    assert "not run in this profile: w/o MREM, w/o DMM" in left_out
    assert "not run in this profile: w/o MREM" in left_out


def test_images_are_drawn_by_seed_for_each_figure_whatever_the_variants() -> None:
    both, one = pictures(_draw())[3::4], pictures(_draw({"ours": "Ours"}))[2::3]
    assert all(np.array_equal(a, b) for a, b in zip(both, one, strict=True))
    other = pictures(_draw(name="figure6b"))[3::4]
    assert not all(np.array_equal(a, b) for a, b in zip(both, other, strict=True))


@pytest.mark.parametrize("times", [1, 2, 4, 16])
@pytest.mark.parametrize("left_out", [(), ("w/o L_sem", "w/o L_InCo²")])
def test_no_text_is_cut_off_or_covered_and_no_figure_too_wide(
    left_out: tuple[str, ...], times: int
) -> None:
    figure = _draw({"ours@without_mrem": "w/o MREM, w/o DMM", "ours": "Ours"}, left_out, "a", times)
    width, height = figure.get_size_inches() * figure.dpi
    assert width <= MAX_WIDTH
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
    for box in boxes:
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
