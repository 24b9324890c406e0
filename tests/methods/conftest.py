"""Shared by the tests of all methods: fake features, a context, a batch, a training loop."""

import re
from collections.abc import Callable, Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from mdrnets.methods.base import Batch, BuildContext, Phase, Trainable
from mdrnets.networks.features import PerceptualFeatures


class FakeFeatures(PerceptualFeatures):
    """Pooled image maps at VGG's resolutions: `relu3_2` at a quarter, `pool3` at an eighth.

    The six channels are the (prepared) image and its square, so that Gram matrices and standard
    deviations differ from the plain means.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def forward(
        self, image: Tensor, taps: Sequence[str], *, normalise: bool = True
    ) -> list[Tensor]:
        x = self._preprocess(image, normalise)
        maps = torch.cat([x, x.square()], dim=1)
        return [F.avg_pool2d(maps, _stride(tap)) for tap in taps]


def _stride(tap: str) -> int:
    result = re.fullmatch(r"relu([1-5])_[1-4]|pool([1-5])", tap)
    if result is None:
        raise KeyError(tap)
    after_relu, after_pool = result.groups()
    return 2 ** (int(after_relu) - 1) if after_relu else 2 ** int(after_pool)


@pytest.fixture
def fake_features() -> Callable[[str], PerceptualFeatures]:
    """Network name → weightless features that honour taps and `normalise`."""
    return FakeFeatures


@pytest.fixture
def context(fake_features: Callable[[str], PerceptualFeatures]) -> BuildContext:
    return BuildContext(image_size=32, features=fake_features)


@pytest.fixture
def batch() -> Batch:
    """Two 32×32 images of smoothed noise, each with a hole that touches no border."""
    generator = torch.Generator().manual_seed(7)
    noise = torch.rand(2, 3, 8, 8, generator=generator) * 2 - 1
    image = F.interpolate(noise, size=(32, 32), mode="bilinear")
    hole = torch.zeros(2, 1, 32, 32)
    hole[0, :, 8:24, 10:22] = 1
    hole[1, :, 12:28, 4:18] = 1
    return Batch(image=image, hole=hole)


@pytest.fixture(name="run_steps")
def run_steps_fixture() -> Callable[[Trainable, Phase, Batch, int], list[dict[str, float]]]:
    return run_steps


def run_steps(trainable: Trainable, phase: Phase, batch: Batch, n: int) -> list[dict[str, float]]:
    """Train `n` steps on one batch as the loop would, but without calling `phase.on_start`.

    Returns each step's weighted terms, of all its updates together.
    """
    trainable.train()
    phase.on_enter()
    history = []
    for _ in range(n):
        seen: dict[str, float] = {}
        for update in phase.train_step(batch):
            optimiser = phase.optimisers[update.optimiser]
            optimiser.zero_grad(set_to_none=True)
            loss = torch.stack(list(update.terms.values())).sum()
            assert torch.isfinite(loss), update.terms
            loss.backward()
            optimiser.step()
            seen |= {name: term.item() for name, term in update.terms.items()}
        for scheduler in phase.schedulers.values():
            scheduler.step()
        history.append(seen)
    return history
