from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mdrnets.data.assignment import Pair
from mdrnets.evaluation import validation
from mdrnets.evaluation.validation import count_gmacs, fill_with_mean, hole_l1, validate_method
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
    images = np.zeros((2, SIZE, SIZE, 3), dtype=np.uint8)
    images[1] = 255
    return images


@pytest.fixture
def holes() -> np.ndarray:
    holes = np.zeros((2, SIZE, SIZE), dtype=bool)
    holes[0, :4] = True
    holes[1, :2, :2] = True
    return holes


def test_the_error_is_that_of_the_hole(images: np.ndarray, holes: np.ndarray) -> None:
    grey = images.copy()
    grey[0][holes[0]] = 51  # 20 % off in the hole of the first
    assert hole_l1(grey, images, holes) == pytest.approx(10.0)


def test_mean_fill_uses_valid_pixels_alone(images: np.ndarray, holes: np.ndarray) -> None:
    filled = images.copy()
    images[holes] = 128
    assert (fill_with_mean(images, holes) == filled).all()
    assert (images[holes] == 128).all()


def test_multiplications_are_counted(images: np.ndarray, holes: np.ndarray) -> None:
    gmacs = count_gmacs(Constant(0), images, holes, batch_size=1)
    assert gmacs == pytest.approx(SIZE**2 * 3 * 3 / 1e9)


def test_both_networks_are_judged_alike(
    images: np.ndarray, holes: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def complete(method: Constant) -> np.ndarray:
        painted = np.full_like(images, round((method.value + 1) / 2 * 255))
        return np.where(holes[..., None], painted, images)

    monkeypatch.setattr(validation, "untrained_network", lambda *_, **__: Constant(-1))
    faces: Any = SimpleNamespace(
        config=SimpleNamespace(name="demo", profile=SimpleNamespace(completion_batch=2)),
        dataset="faces",
        method="constant",
        device="cpu",
        trained=Constant(0.6),
        pairs=[Pair(str(n), n, "b", "h", n, 0.5, "validation") for n in range(2)],
        images=images,
        holes=holes,
        complete=complete,
    )
    result = validate_method(faces)
    assert result.images == 2
    assert result.untrained == pytest.approx(50.0)
    assert result.trained == pytest.approx((80 + 20) / 2)
    assert result.mean_fill == 0
