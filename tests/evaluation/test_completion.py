from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from mdrnets.data.assignment import Pair
from mdrnets.errors import UserError
from mdrnets.evaluation.completion import complete_pairs
from mdrnets.methods.base import Method

SIZE = 16
GENERATOR = np.random.default_rng(0)
IMAGES = GENERATOR.integers(0, 256, (6, SIZE, SIZE, 3), dtype=np.uint8)
HOLES = GENERATOR.random((8, SIZE, SIZE)) < 0.4
PAIRS = [
    Pair(f"{image}", image, "1-20", f"{hole}", hole, 0.4, "test")
    for image, hole in [(5, 7), (0, 2), (3, 0), (1, 1), (2, 6)]
]


class Filling(Method):
    """Fills holes by a function of masked image, hole and generator."""

    def __init__(self, fill: Callable[[Tensor, Tensor, torch.Generator], Tensor]) -> None:
        super().__init__()
        self.fill = fill

    def complete(self, masked: Tensor, hole: Tensor, generator: torch.Generator) -> Tensor:
        return self.fill(masked, hole, generator)


def _noise(masked: Tensor, hole: Tensor, generator: torch.Generator) -> Tensor:
    return torch.rand(masked.shape, generator=generator) * 2 - 1


def _complete(
    fill: Callable[[Tensor, Tensor, torch.Generator], Tensor] = _noise,
    *,
    seed: int = 1,
    batch_size: int = 2,
    precision: str = "32-true",
) -> tuple[np.ndarray, np.ndarray]:
    batches = list(
        complete_pairs(
            Filling(fill),
            PAIRS,
            images=IMAGES,
            holes=HOLES,
            batch_size=batch_size,
            seed=seed,
            device=torch.device("cpu"),
            precision=precision,
        )
    )
    completed, outputs = zip(*batches, strict=True)
    return np.concatenate(completed), np.concatenate(outputs)


def _originals_and_holes() -> tuple[np.ndarray, np.ndarray]:
    return IMAGES[[5, 0, 3, 1, 2]], HOLES[[7, 2, 0, 1, 6]]


@pytest.mark.parametrize("batch_size", [1, 2, 5, 9])
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_valid_pixels_are_the_inputs_and_the_others_the_outputs(
    batch_size: int, precision: str
) -> None:
    completed, outputs = _complete(batch_size=batch_size, precision=precision)
    originals, holes = _originals_and_holes()
    assert completed.dtype == outputs.dtype == np.uint8
    assert np.array_equal(completed[~holes], originals[~holes])
    assert np.array_equal(completed[holes], outputs[holes])
    assert not np.array_equal(outputs[~holes], originals[~holes])


def test_a_method_does_not_see_what_is_missing() -> None:
    seen: list[tuple[Tensor, Tensor]] = []

    def copy(masked: Tensor, hole: Tensor, generator: torch.Generator) -> Tensor:
        seen.append((masked, hole))
        assert not torch.is_grad_enabled()
        return masked

    completed, _ = _complete(copy)
    _, holes = _originals_and_holes()
    masked = torch.cat([pair[0] for pair in seen])
    hole = torch.cat([pair[1] for pair in seen])
    assert hole.shape == (5, 1, SIZE, SIZE) and torch.equal(hole[:, 0].bool(), torch.tensor(holes))
    assert masked[hole.expand_as(masked).bool()].eq(0).all()
    assert set(np.unique(completed[holes])) == {128}  # zero, as a pixel


def test_samples_depend_on_the_seed_alone() -> None:
    torch.manual_seed(1)
    first = _complete(seed=1)[0]
    torch.manual_seed(2)
    assert np.array_equal(_complete(seed=1)[0], first)
    assert not np.array_equal(_complete(seed=2)[0], first)
    assert not np.array_equal(first[0][HOLES[7]], first[2][HOLES[7]])  # each batch draws anew


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_an_output_that_is_not_finite_is_an_error(value: float) -> None:
    calls: list[None] = []

    def fail(masked: Tensor, hole: Tensor, generator: torch.Generator) -> Tensor:
        calls.append(None)
        output = masked.clone()
        if len(calls) == 2:
            output[1, 0, 0, 0] = value
        return output

    with pytest.raises(UserError, match="image 1 with hole 1"):
        _complete(fail)
