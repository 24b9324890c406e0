import numpy as np
import pytest
import torch
from torch import Tensor

from mdrnets.data.assignment import Pair
from mdrnets.evaluation.validation import (
    compare_with_untrained,
    count_gmacs,
    hole_l1,
    mean_fill_l1,
)
from mdrnets.methods.base import Method

SIZE = 8


class Constant(Method):
    """Paints one value; a 1×1 convolution makes it cost something."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.layer = torch.nn.Conv2d(3, 3, 1, bias=False)
        self.value = value

    def complete(self, masked: Tensor, hole: Tensor, generator: torch.Generator) -> Tensor:
        return 0 * self.layer(masked) + self.value


@pytest.fixture
def images() -> np.ndarray:
    images = np.zeros((3, SIZE, SIZE, 3), dtype=np.uint8)
    images[1] = 255
    return images


@pytest.fixture
def holes() -> np.ndarray:
    holes = np.zeros((2, SIZE, SIZE), dtype=bool)
    holes[0, :4] = True
    holes[1, :2, :2] = True
    return holes


PAIRS = [Pair("a", 0, "b", "h", 0, 0.5, "validation"), Pair("c", 1, "b", "h", 1, 0.1, "validation")]


def test_the_error_is_that_of_the_hole(images: np.ndarray, holes: np.ndarray) -> None:
    grey = images.copy()
    grey[0][holes[0]] = 51  # 20 % off in the hole of the first
    assert hole_l1(grey[:2], PAIRS, images=images, holes=holes) == pytest.approx(10.0)


def test_mean_fill_uses_valid_pixels_alone(images: np.ndarray, holes: np.ndarray) -> None:
    assert mean_fill_l1(PAIRS, images=images, holes=holes) == 0
    images[0][holes[0]] = 255
    assert mean_fill_l1(PAIRS, images=images, holes=holes) == pytest.approx(50.0)


def test_multiplications_are_counted(images: np.ndarray, holes: np.ndarray) -> None:
    gmacs = count_gmacs(Constant(0), PAIRS[0], images=images, holes=holes)
    assert gmacs == pytest.approx(SIZE**2 * 3 * 3 / 1e9)


def test_both_networks_are_judged_alike(images: np.ndarray, holes: np.ndarray) -> None:
    def complete(method: Method) -> np.ndarray:
        assert isinstance(method, Constant)
        painted = np.full_like(images[:2], round((method.value + 1) / 2 * 255))
        return np.where(holes[..., None], painted, images[:2])

    result = compare_with_untrained(
        Constant(0.6), Constant(-1), PAIRS, images=images, holes=holes, complete=complete
    )
    assert result.images == 2
    assert result.untrained == pytest.approx(50.0)
    assert result.trained == pytest.approx((80 + 20) / 2)
