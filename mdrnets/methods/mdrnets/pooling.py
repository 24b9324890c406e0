"""Region-wise average pooling: one vector for each semantic class; and its inverse, scattering.

Zhu et al., "SEAN" (CVPR 2020), section 3.1. MDRNets pools the style features twice (Q over whole
classes, V over their valid pixels), and the features of the InCo² loss by hole and valid part.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from mdrnets.networks.precision import without_autocast


class RegionMeans(NamedTuple):
    """One vector for each class.

    Attributes:
        means: B×K×C; zeros for absent classes.
        present: B×K, whether the class covers any area.
    """

    means: Tensor
    present: Tensor


def class_regions(labels: Tensor, *, classes: int, size: torch.Size) -> Tensor:
    """Labels B×H×W → one-hot maps B×K×h×w, resized by nearest neighbour."""
    small = F.interpolate(labels[:, None].float(), size=size)[:, 0].long()  # B×h×w
    return _one_hot(small, classes)


def class_areas(labels: Tensor, part: Tensor, *, classes: int, size: torch.Size) -> Tensor:
    """Compute the fraction of each cell that a class covers inside a part of the image.

    Unlike nearest neighbour, this keeps small classes even if the cells are large.

    Args:
        labels: B×H×W.
        part: B×1×H×W, 1 = included (the hole, or its complement).
        classes: K.
        size: h, w.

    Returns:
        B×K×h×w in [0, 1].
    """
    return F.adaptive_avg_pool2d(_one_hot(labels, classes) * part, (size[0], size[1]))


def pool_regions(features: Tensor, regions: Tensor) -> RegionMeans:
    """Average B×C×h×w features over each region, with weights B×K×h×w ≥ 0, in float32."""
    with without_autocast(features):
        weights = regions.flatten(2).float()  # B×K×hw
        sums = weights @ features.flatten(2).float().mT  # B×K×C
        areas = weights.sum(dim=-1)  # B×K
        present = areas > 0
        # An empty region has the sum 0; dividing by 1 keeps its mean and its gradient 0.
        return RegionMeans(sums / torch.where(present, areas, 1)[..., None], present)


def scatter_to_map(rows: Tensor, regions: Tensor) -> Tensor:
    """Broadcast B×K×C rows to the pixels of their classes: one-hot B×K×h×w → B×C×h×w."""
    maps: Tensor = rows.mT @ regions.flatten(2).to(rows.dtype)  # B×C×hw
    return maps.view(*maps.shape[:2], *regions.shape[2:])


def _one_hot(labels: Tensor, classes: int) -> Tensor:
    """B×H×W → B×K×H×W of zeros and ones."""
    return F.one_hot(labels, classes).movedim(-1, 1).float()
