"""Perceptual and style losses on the feature maps of a frozen network.

Perceptual: Johnson et al., "Perceptual Losses for Real-Time Style Transfer" (ECCV 2016), in L1
as in Liu et al. (ECCV 2018), equations 3 to 5. Statistics style: Huang & Belongie, "Arbitrary
Style Transfer in Real-time with Adaptive Instance Normalization" (ICCV 2017), equation 13.
"""

from collections.abc import Sequence
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor

from mdrnets.config.marks import Cited
from mdrnets.networks.precision import full_precision, without_autocast

# Keeps the gradient of the square root finite.
VARIANCE_FLOOR: Annotated[float, Cited("AdaIN's code")] = 1e-5


def perceptual_loss(a: Sequence[Tensor], b: Sequence[Tensor]) -> Tensor:
    """Sum over pairs of B×C×h×w maps of the mean absolute difference."""
    return torch.stack([F.l1_loss(x, y) for x, y in zip(a, b, strict=True)]).sum()


def gram_style_loss(a: Sequence[Tensor], b: Sequence[Tensor]) -> Tensor:
    """Sum over pairs of B×C×h×w maps of the mean absolute difference of their Gram matrices."""
    return perceptual_loss([gram(x) for x in a], [gram(y) for y in b])


def statistics_style_loss(a: Sequence[Tensor], b: Sequence[Tensor]) -> Tensor:
    """Sum over pairs of B×C×h×w maps of the mean squared differences of their channels' means
    and of their channels' standard deviations.
    """
    losses = []
    for x, y in zip(a, b, strict=True):
        (mean_x, std_x), (mean_y, std_y) = _statistics(x), _statistics(y)
        losses.append(F.mse_loss(mean_x, mean_y) + F.mse_loss(std_x, std_y))
    return torch.stack(losses).sum()


def gram(features: Tensor) -> Tensor:
    """B×C×H×W → B×C×C: inner products of the channels, divided by C·H·W."""
    _, C, H, W = features.shape
    # The matrices can differ by less than the resolution of half precision.
    with without_autocast(features):
        flat = full_precision(features).flatten(2)  # B×C×HW
        return flat @ flat.mT / (C * H * W)


def _statistics(features: Tensor) -> tuple[Tensor, Tensor]:
    """B×C×H×W → mean and standard deviation over positions, each B×C."""
    variance, mean = torch.var_mean(full_precision(features), dim=(2, 3), correction=0)
    return mean, (variance + VARIANCE_FLOOR).sqrt()
