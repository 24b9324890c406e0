import numpy as np
import pytest

from mdrnets.data.classes import CLASSES
from samples.renderer.canvas import (
    Canvas,
    bump,
    coverage,
    dots,
    ellipse,
    line,
    noise,
    noise_table,
    ramp,
    slopes,
    strands,
)

TABLE = noise_table(np.random.default_rng(0))
WHITE = np.ones(3)


def test_a_painted_ellipse_has_the_area_of_an_ellipse() -> None:
    canvas = Canvas(size=96)
    field = ellipse(canvas.x - 0.1, canvas.y, width=0.6, height=0.3)
    canvas.paint(field, WHITE, label="hat")
    area = np.pi * 0.6 * 0.3 / 4  # of the whole picture
    assert canvas.rgb.mean() == pytest.approx(area, rel=0.005)
    assert (canvas.labels == CLASSES.index("hat")).mean() == pytest.approx(area, rel=0.005)


def test_edges_are_antialiased_over_one_sample() -> None:
    field = np.broadcast_to(np.arange(6.0) - 2.25, (4, 6))  # an edge at 2.25
    np.testing.assert_allclose(coverage(field)[1], [1, 1, 0.75, 0, 0, 0])
    np.testing.assert_allclose(coverage(3.7 * field), coverage(field))


def test_slopes_of_a_plane_are_exact_up_to_the_border() -> None:
    rows, columns = np.mgrid[0:5, 0:7].astype(float)
    slope_x, slope_y = slopes(2 * columns - 3 * rows)
    np.testing.assert_array_equal(slope_x, np.full((5, 7), 2.0))
    np.testing.assert_array_equal(slope_y, np.full((5, 7), -3.0))


def test_painting_in_a_window_is_painting_there() -> None:
    whole, windowed = Canvas(size=16), Canvas(size=16)
    field = ellipse(whole.x, whole.y, width=0.4, height=0.4)
    box = (slice(6, 26), slice(4, 28))
    whole.paint(field, WHITE, label="eye")
    windowed.paint(field[box], WHITE, window=box, label="eye")
    np.testing.assert_allclose(windowed.rgb, whole.rgb)
    np.testing.assert_array_equal(windowed.labels, whole.labels)


def test_without_a_label_the_classes_stay() -> None:
    canvas = Canvas(size=8)
    canvas.paint(-np.ones((16, 16)), WHITE, label="skin")
    canvas.paint(-np.ones((16, 16)), 0.5 * WHITE, opacity=0.5)
    assert (canvas.labels == CLASSES.index("skin")).all()
    np.testing.assert_allclose(canvas.rgb, 0.75)


def test_shade_multiplies() -> None:
    canvas = Canvas(size=4)
    canvas.blend(np.ones((8, 8)), np.array([0.8, 0.6, 0.4]))
    canvas.shade(np.full((8, 8), 0.5), np.array([0.5, 1.0, 0.0]))
    np.testing.assert_allclose(canvas.rgb[:, 0, 0], [0.6, 0.6, 0.2])
    canvas.shade(np.ones((8, 8)), 0.5)
    np.testing.assert_allclose(canvas.rgb[:, 0, 0], [0.3, 0.3, 0.1])


def test_a_pixel_is_the_mean_of_its_samples_clipped() -> None:
    canvas = Canvas(size=2)
    canvas.rgb[0, :2, :2] = [[0.0, 1.0], [1.0, 1.0]]
    canvas.rgb[1, 2:, :2] = 7.0
    image = canvas.image()
    assert image.shape == (2, 2, 3)
    assert image.dtype == np.uint8
    assert image[0, 0].tolist() == [191, 0, 0]
    assert image[1, 0].tolist() == [0, 255, 0]


def test_the_class_of_a_pixel_is_the_most_frequent_and_of_equals_the_higher() -> None:
    canvas = Canvas(size=2)
    canvas.labels[:] = [[3, 3, 1, 1], [3, 9, 2, 2], [5, 6, 0, 13], [7, 8, 13, 0]]
    assert canvas.class_map().tolist() == [[3, 2], [8, 13]]
    assert canvas.class_map().dtype == np.uint8


def test_ramp_bump_and_line_have_their_shapes() -> None:
    x = np.array([-1.0, 0.0, 1.0, 2.0, 3.0])
    np.testing.assert_allclose(ramp(x, 0, 2), [0, 0, 0.5, 1, 1])
    np.testing.assert_allclose(ramp(x, 2, 0), [1, 1, 0.5, 0, 0])
    np.testing.assert_allclose(bump(x, 0 * x, width=2, height=1), [0.5625, 1, 0.5625, 0, 0])
    np.testing.assert_allclose(line(x, width=1)[1:3], [1, np.exp(-1)])


def test_noise_passes_through_its_table_and_repeats() -> None:
    x, y = np.meshgrid(np.arange(32.0), np.arange(32.0))
    np.testing.assert_array_equal(noise(x, y, TABLE), TABLE)
    np.testing.assert_allclose(noise(x + 0.3, y, TABLE), noise(x - 31.7, y + 64, TABLE))
    between = noise(x + 0.5, y + 0.5, TABLE)
    assert between.min() >= TABLE.min()
    assert between.max() <= TABLE.max()


def test_strands_interpolate_a_line_of_1024_values() -> None:
    position = np.arange(1024.0)
    np.testing.assert_array_equal(strands(position, TABLE), TABLE.reshape(-1))
    middle = strands(np.array([2.5, 1023.5]), TABLE)
    flat = TABLE.reshape(-1)
    np.testing.assert_allclose(middle, [(flat[2] + flat[3]) / 2, (flat[1023] + flat[0]) / 2])


def test_dots_are_round_and_as_many_as_asked_for() -> None:
    axis = (np.arange(640) + 0.5) / 20  # 32 unit squares a side
    x, y = np.meshgrid(axis, axis)
    inside = dots(x, y, TABLE, radius=0.3, share=0.5) < 0
    share = (TABLE < 0.5).mean()
    assert inside.mean() == pytest.approx(share * np.pi * 0.3**2, rel=0.02)
    assert not dots(x, y, TABLE, radius=0.3, share=0.0).min() < 0
