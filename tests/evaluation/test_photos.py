"""Completing a photograph: squares, scaling with holes, and what stays as it is."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from mdrnets.errors import UserError
from mdrnets.evaluation.photos import Square, choose_square, complete_photo, downscale_valid
from mdrnets.methods.base import Method

SIZE = 16


class Grey(Method):
    """Fills with a level that depends on the sample; remembers what it was given."""

    def complete(self, masked: Tensor, hole: Tensor, generator: torch.Generator) -> Tensor:
        self.masked, self.hole = masked, hole
        level = torch.rand(1, generator=generator) - 0.5
        return level.expand_as(masked)


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
