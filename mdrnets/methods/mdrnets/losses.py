"""The weighted loss terms of MDRNets' generator.

The paper names the losses and cites a source for each, but gives no weights; we chose them. The
adversarial and the total variation term use the composite; all others use the raw output I_o.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

import torch
import torch.nn.functional as F
from pydantic import NonNegativeFloat
from torch import Tensor, nn

from mdrnets.config.marks import Chosen
from mdrnets.config.options import Options
from mdrnets.data.classes import CLASSES
from mdrnets.losses.adversarial import Adversarial, generator_loss
from mdrnets.losses.perceptual import gram_style_loss, perceptual_loss, statistics_style_loss
from mdrnets.losses.total_variation import dilate, total_variation_loss
from mdrnets.methods.mdrnets.coordination import coordination_loss
from mdrnets.networks.composite import composite
from mdrnets.networks.features import PerceptualFeatures
from mdrnets.networks.frozen import without_weight_gradients

StyleLoss = Literal["statistics", "gram"]


class Weights(Options):
    """Weights of the loss terms, which are means. A term of weight 0 is not computed."""

    hole: Annotated[NonNegativeFloat, Chosen("not stated; weight of PConv")] = 6.0
    valid: Annotated[NonNegativeFloat, Chosen("not stated; weight of PConv")] = 1.0
    perceptual: Annotated[NonNegativeFloat, Chosen("not stated; weight of PConv")] = 0.05
    style: Annotated[NonNegativeFloat, Chosen("not stated")] = 10.0
    adversarial: Annotated[NonNegativeFloat, Chosen("not stated")] = 0.1
    total_variation: Annotated[NonNegativeFloat, Chosen("not stated; weight of PConv")] = 0.1
    semantic: Annotated[NonNegativeFloat, Chosen("not stated")] = 0.1
    incoordination: Annotated[NonNegativeFloat, Chosen("not stated")] = 1.0


@dataclass(frozen=True, kw_only=True)
class GeneratorLosses:
    """The weighted terms of one generator update.

    Attributes:
        features: network for the perceptual and the style loss; None if both weights are 0.
        recon: frozen reconstruction network; None if the weight of InCo² is 0.
    """

    weights: Weights
    adversarial: Adversarial
    style: StyleLoss
    taps: Sequence[str]
    discriminator: nn.Module
    parser: Any
    features: PerceptualFeatures | None
    recon: Any

    def __call__(
        self, *, output: Tensor, image: Tensor, hole: Tensor, labels: Tensor
    ) -> dict[str, Tensor]:
        """Args: output I_o and image I_g, B×3×H×W; hole B×1×H×W; labels of I_g, B×H×W.

        Returns name → weighted scalar loss, for each weight above 0.
        """
        composed = composite(image, output, hole)
        error = (output - image).abs()
        maps = cache(lambda: self._feature_maps(output, image))  # shared by two terms
        style_loss = {"statistics": statistics_style_loss, "gram": gram_style_loss}[self.style]

        losses: dict[str, Callable[[], Tensor]] = {
            "hole": lambda: (error * hole).mean(),
            "valid": lambda: (error * (1 - hole)).mean(),
            "perceptual": lambda: perceptual_loss(*maps()),
            "style": lambda: style_loss(*maps()),
            "adversarial": lambda: generator_loss(self._d_logits(composed), kind=self.adversarial),
            "total_variation": lambda: total_variation_loss(composed, dilate(hole)),
            "semantic": lambda: F.cross_entropy(self.parser(output), labels),
            "incoordination": lambda: self._coordination_loss(output, image, labels, hole),
        }
        weights = self.weights.model_dump()
        return {name: weights[name] * loss() for name, loss in losses.items() if weights[name]}

    def _feature_maps(self, output: Tensor, image: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        assert self.features is not None
        with torch.no_grad():
            image_maps = self.features(image, self.taps)
        return self.features(output, self.taps), image_maps

    def _d_logits(self, composed: Tensor) -> Tensor:
        """Compute the discriminator's logits without gradients for its parameters."""
        with without_weight_gradients(self.discriminator):
            logits: Tensor = self.discriminator(composed)
        return logits

    def _coordination_loss(
        self, output: Tensor, image: Tensor, labels: Tensor, hole: Tensor
    ) -> Tensor:
        with torch.no_grad():
            image_features = self.recon.encode(image)
        return coordination_loss(
            self.recon.encode(output),
            image_features,
            labels=labels,
            hole=hole,
            classes=len(CLASSES),
        )
