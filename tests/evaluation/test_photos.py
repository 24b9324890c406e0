"""Completing a photograph: squares, scaling with holes, and what stays as it is."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from mdrnets.errors import UserError
from mdrnets.evaluation.photos import choose_square, complete_photo, downscale_valid
from mdrnets.evaluation.squares import Square, TurnedSquare
from mdrnets.methods.base import Method

SIZE = 16


class Grey(Method):
    """Fills with a level that depends on the sample; remembers what it was given."""

    def complete(self, masked: Tensor, hole: Tensor, generator: torch.Generator) -> Tensor:
        self.masked, self.hole = masked, hole
        level = torch.rand(1, generator=generator) - 0.5
        return level.expand_as(masked)


class Blur(Method):
    """Depends on what it is given, and where."""

    def complete(self, masked: Tensor, hole: Tensor, generator: torch.Generator) -> Tensor:
        return torch.nn.functional.avg_pool2d(masked, 5, stride=1, padding=2) + 0.3 * hole


def _photo(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _hole(height: int, width: int, *, rows: slice, columns: slice) -> np.ndarray:
    hole = np.zeros((height, width), dtype=bool)
    hole[rows, columns] = True
    return hole


def test_only_the_hole_changes_and_samples_differ() -> None:
    image = _photo(50, 70)
    hole = _hole(50, 70, rows=slice(20, 30), columns=slice(30, 41))
    method = Grey()
    first, second = complete_photo(
        method, image, hole, size=SIZE, square=Square(10, 5, 40), samples=2, seed=1
    )
    for completed in (first, second):
        assert completed.shape == image.shape and completed.dtype == np.uint8
        assert np.array_equal(completed[~hole], image[~hole])
        assert len(np.unique(completed[hole])) == 1
    assert not np.array_equal(first, second)
    (again,) = complete_photo(method, image, hole, size=SIZE, square=Square(10, 5, 40), seed=1)
    assert np.array_equal(again, first)
    assert method.masked.shape == (1, 3, SIZE, SIZE)
    assert not (method.masked * method.hole).any()


def test_a_turned_square_that_is_upright_gives_the_same_bytes() -> None:
    image = _photo(50, 70)
    hole = _hole(50, 70, rows=slice(20, 30), columns=slice(30, 41))
    method = Blur()
    turned = TurnedSquare(centre=(10 + 20, 5 + 20), right=(20, 0))
    results = [
        next(complete_photo(method, image, hole, size=SIZE, square=square))
        for square in (Square(10, 5, 40), turned)
    ]
    assert np.array_equal(*results)


def test_a_photo_turned_by_a_right_angle_gives_the_same_turned() -> None:
    image = _photo(50, 70)
    hole = _hole(50, 70, rows=slice(20, 30), columns=slice(30, 41))
    method = Blur()
    upright = next(complete_photo(method, image, hole, size=SIZE, square=Square(10, 5, 40)))
    to_right = TurnedSquare(centre=(50 - 25, 30), right=(0, 20))
    turned = next(
        complete_photo(method, np.rot90(image, -1), np.rot90(hole, -1), size=SIZE, square=to_right)
    )
    assert np.array_equal(turned, np.rot90(upright, -1))


@given(st.floats(0, 2 * np.pi), st.floats(8, 40), st.integers(20, 50), st.integers(15, 35))
def test_only_the_hole_changes_in_a_turned_square(
    angle: float, half: float, x: int, y: int
) -> None:
    """Also where the square reaches over the edges."""
    image = _photo(50, 70)
    hole = _hole(50, 70, rows=slice(y - 4, y + 3), columns=slice(x - 3, x + 4))
    image[hole] = 255
    square = TurnedSquare((float(x), float(y)), (half * np.cos(angle), half * np.sin(angle)))
    method = Grey()
    (completed,) = complete_photo(method, image, hole, size=SIZE, square=square)
    assert np.array_equal(completed[~hole], image[~hole])
    assert len(np.unique(completed[hole])) == 1


def test_nothing_of_the_hole_gets_into_valid_pixels_of_a_turned_square() -> None:
    image = np.full((50, 70, 3), 20, dtype=np.uint8)
    hole = _hole(50, 70, rows=slice(0, 9), columns=slice(30, 40))
    image[hole] = 255
    upright, missing = TurnedSquare((35, 12), (14, 5)).cut_valid(image, hole)
    assert upright.shape == (30, 30, 3)
    assert missing.any() and (upright[~missing] == 20).all()


@given(st.integers(SIZE // 2, 5 * SIZE), st.integers(0, 255), st.integers(0, 255), st.data())
def test_nothing_of_the_hole_gets_into_valid_pixels(
    side: int, valid: int, missing: int, data: st.DataObject
) -> None:
    top, left = (data.draw(st.integers(0, side - 1)) for _ in range(2))
    hole = np.zeros((side, side), dtype=bool)
    hole[top : top + 1 + side // 4, left : left + 1 + side // 4] = True
    image = np.full((side, side, 3), valid, dtype=np.uint8)
    image[hole] = missing
    small, small_hole = downscale_valid(image, hole, SIZE)
    assert small_hole.any()
    assert (small[~small_hole] == valid).all()


def test_a_photo_of_the_right_size_is_not_changed() -> None:
    image = _photo(SIZE, SIZE)
    hole = _hole(SIZE, SIZE, rows=slice(2, 5), columns=slice(3, 9))
    small, small_hole = downscale_valid(image, hole, SIZE)
    assert np.array_equal(small_hole, hole)
    assert np.array_equal(small[~hole], image[~hole])


@pytest.mark.parametrize(
    ("shape", "hole", "square", "named"),
    [
        ((40, 40), _hole(41, 40, rows=slice(1, 2), columns=slice(1, 2)), None, "hole"),
        ((40, 60), _hole(40, 60, rows=slice(1, 2), columns=slice(1, 2)), None, "--crop 10,0,40"),
        ((40, 60), _hole(40, 60, rows=slice(1, 2), columns=slice(1, 2)), (30, 0, 40), "crop"),
        ((40, 60), _hole(40, 60, rows=slice(1, 2), columns=slice(1, 2)), (-1, 0, 9), "crop"),
        ((40, 40), np.zeros((40, 40), dtype=bool), None, "hole"),
        ((40, 40), np.ones((40, 40), dtype=bool), None, "hole"),
        ((40, 60), _hole(40, 60, rows=slice(1, 2), columns=slice(1, 20)), (10, 0, 40), "hole: 9"),
    ],
)
def test_what_does_not_fit_is_named(
    shape: tuple[int, int], hole: np.ndarray, square: tuple[int, int, int] | None, named: str
) -> None:
    with pytest.raises(UserError) as error:
        choose_square(_photo(*shape), hole, Square(*square) if square else None)
    assert named in str(error.value)
