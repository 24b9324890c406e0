"""The square of a face, against numbers worked out by hand."""

import numpy as np
import pytest

from mdrnets.evaluation.alignment import Landmarks, align_square

UPRIGHT = Landmarks((40.0, 50.0), (60.0, 50.0), (43.0, 80.0), (57.0, 80.0))


def test_a_long_face_is_as_large_as_its_distance_from_eyes_to_mouth_says() -> None:
    square = align_square(UPRIGHT)
    assert square.centre == (50.5, 53.5)
    assert square.right == pytest.approx((54, 0))  # 1.8 × 30; the eyes give only 2 × 20
    assert square.side == 108
    corners = [(-3.5, -0.5), (104.5, -0.5), (104.5, 107.5), (-3.5, 107.5)]
    assert square.corners == pytest.approx(np.array(corners))


def test_a_wide_face_is_as_large_as_the_distance_of_its_eyes_says() -> None:
    square = align_square(Landmarks((40, 50), (60, 50), (43, 60), (57, 60)))
    assert square.right == pytest.approx((40, 0))


@pytest.mark.parametrize("degrees", [-20, 35, 90, 180])
@pytest.mark.parametrize("scale", [0.5, 3])
def test_the_square_turns_and_scales_with_the_face(degrees: float, scale: float) -> None:
    angle = np.radians(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])

    def move(point: tuple[float, float]) -> tuple[float, float]:
        x, y = turn @ (np.array(point) + 0.5) - 0.5
        return x, y

    moved = align_square(Landmarks(*(move(point) for point in vars(UPRIGHT).values())))
    upright = align_square(UPRIGHT)
    assert moved.corners == pytest.approx(upright.corners @ turn.T)
    assert moved.side == round(scale * 108)


def test_a_face_that_looks_aside_is_turned_by_both_lines_in_equal_parts() -> None:
    """The eyes are level, and the mouth is moved aside by 45°."""
    square = align_square(Landmarks((40, 50), (60, 50), (63, 70), (77, 70)))
    assert square.right[1] / square.right[0] == pytest.approx(-20 / 40)
