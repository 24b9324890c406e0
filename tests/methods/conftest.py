"""Shared by the tests of all methods: fake features, a context, a batch, a training loop."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F

from mdrnets.methods.base import Batch, BuildContext, Phase, Trainable
from mdrnets.networks.features import PerceptualFeatures
from tests.helpers.fake_features import FakeFeatures
from tests.helpers.run_steps import run_steps


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
