"""A small MDRNets with fake frozen networks."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mdrnets.data.classes import CLASSES
from mdrnets.methods.base import BuildContext, Trainable
from mdrnets.methods.mdrnets.method import MDRNets, Options, build
from mdrnets.networks.features import PerceptualFeatures
from mdrnets.networks.frozen import freeze

SMALL: dict[str, Any] = {
    "steps": 4,
    "batch_size": 2,
    "style_channels": 6,
    "style_width": 2,
    "width": 4,
    "dilations": [1, 2],
    "spade_hidden": 4,
    "discriminator_base": 4,
    "slots": 3,
    "alpha": 0.5,
}


class _Coarse(Trainable):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 3, 3, padding=1)

    def forward(self, masked: Tensor, hole: Tensor) -> Tensor:
        output: Tensor = 3 * self.conv(torch.cat([masked, hole], dim=1))  # leaves [-1, 1]
        return output


class _Parser(Trainable):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, len(CLASSES), 1)

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = 5 * self.conv(image)
        return logits

    @torch.no_grad()
    def parse(self, image: Tensor) -> Tensor:
        return self(image).argmax(dim=1)


class _Recon(Trainable):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 8, stride=8)
        self.drop = nn.Dropout()  # in training mode, two equal steps would differ

    def encode(self, image: Tensor) -> Tensor:
        features: Tensor = self.drop(self.conv(image))
        return features


@pytest.fixture
def frozen_context(fake_features: Callable[[str], PerceptualFeatures]) -> BuildContext:
    torch.manual_seed(0)
    frozen = {"coarse": freeze(_Coarse()), "parser": freeze(_Parser()), "recon": freeze(_Recon())}
    return BuildContext(image_size=32, features=fake_features, frozen=frozen)


@pytest.fixture
def small_options() -> Callable[..., Options]:
    """Return options for 32 pixels; keyword arguments change them."""

    def make(**changes: Any) -> Options:
        return Options.model_validate(SMALL | changes)

    return make


@pytest.fixture
def small_method(
    frozen_context: BuildContext, small_options: Callable[..., Options]
) -> Callable[..., MDRNets]:
    """Build the method with fixed initial weights; keyword arguments change options."""

    def make(**changes: Any) -> MDRNets:
        torch.manual_seed(1)
        return build(options=small_options(**changes), context=frozen_context)

    return make
