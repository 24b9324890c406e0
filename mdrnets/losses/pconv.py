"""The loss of PConv's generator, which also trains the coarse network of MDRNets.

Liu et al., "Image Inpainting for Irregular Holes Using Partial Convolutions" (ECCV 2018,
https://arxiv.org/abs/1804.07723), section 3.3, equations 3 to 7.
"""

from typing import Annotated

import torch.nn.functional as F
from pydantic import NonNegativeFloat
from torch import Tensor

from mdrnets.config.marks import Paper
from mdrnets.config.options import Options
from mdrnets.losses.perceptual import gram_style_loss, perceptual_loss
from mdrnets.losses.total_variation import dilate, total_variation_loss
from mdrnets.networks.composite import composite
from mdrnets.networks.features import PerceptualFeatures

TAPS = ("pool1", "pool2", "pool3")  # of VGG-16


class PConvWeights(Options):
    """Weights of equation 7, which the authors found on 100 validation images."""

    valid: Annotated[NonNegativeFloat, Paper()] = 1.0
    hole: Annotated[NonNegativeFloat, Paper()] = 6.0
    perceptual: Annotated[NonNegativeFloat, Paper()] = 0.05
    style: Annotated[NonNegativeFloat, Paper()] = 120.0  # for the output and for the composite
    total_variation: Annotated[NonNegativeFloat, Paper()] = 0.1


class PConvLoss:
    """Pixels in and outside the hole, VGG features and their Gram matrices, total variation.

    Every term is a mean over the whole tensor: valid and hole are divided by the size of the image,
    not of their region. With equal weights their sum is therefore the plain L1 distance.
    """

    def __init__(self, *, features: PerceptualFeatures, weights: PConvWeights) -> None:
        """Args: features: frozen VGG-16 on the device of the images."""
        self.features, self.weights = features, weights

    def __call__(self, *, output: Tensor, image: Tensor, hole: Tensor) -> dict[str, Tensor]:
        """Compute the weighted terms: `valid`, `hole`, `perceptual`, `style`, `total_variation`.

        Args:
            output: the network's output, B×3×H×W, not composited.
            image: B×3×H×W in [-1, 1], complete.
            hole: B×1×H×W, 1 = missing.
        """
        composed = composite(image, output, hole)
        target = self.features(image, TAPS)
        output_maps = self.features(output, TAPS)
        composite_maps = self.features(composed, TAPS)

        weights = self.weights
        return {
            "valid": weights.valid * F.l1_loss(output * (1 - hole), image * (1 - hole)),
            "hole": weights.hole * F.l1_loss(output * hole, image * hole),
            "perceptual": weights.perceptual
            * (perceptual_loss(output_maps, target) + perceptual_loss(composite_maps, target)),
            "style": weights.style
            * (gram_style_loss(output_maps, target) + gram_style_loss(composite_maps, target)),
            "total_variation": weights.total_variation
            * total_variation_loss(composed, region=dilate(hole)),
        }
