"""InCo², the intra- and inter-class coordination loss: the parts of a face should match.

MDRNets, equations 6 to 8, on the middle features of a frozen reconstruction network. Area-weighted
pooling, rows of unit length and the mean over entries are our choices; see the assumption ledger.
"""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

from mdrnets.methods.mdrnets.pooling import class_areas, pool_regions
from mdrnets.networks.precision import without_autocast


class Coordination(NamedTuple):
    """Cosines between the class vectors of one image, B×K×K.

    Attributes:
        intra: M_c M_cᵀ, between the hole parts of classes.
        inter: M_c M_nᵀ, between the hole part and the valid part.
    """

    intra: Tensor
    inter: Tensor


def coordination_loss(
    output_features: Tensor, truth_features: Tensor, *, labels: Tensor, hole: Tensor, classes: int
) -> Tensor:
    """L_intra + L_inter: mean absolute differences of the two images' cosine matrices.

    Args:
        output_features: E_r(I_o), B×C×h×w.
        truth_features: E_r(I_g), B×C×h×w.
        labels: the classes of I_g, B×H×W; used for both images.
        hole: B×1×H×W.
        classes: K.

    Returns:
        A scalar in [0, 4].
    """
    size = output_features.shape[2:]
    in_hole = class_areas(labels, hole, classes=classes, size=size)
    in_valid = class_areas(labels, 1 - hole, classes=classes, size=size)
    output = compute_coordination(output_features, in_hole, in_valid)
    truth = compute_coordination(truth_features, in_hole, in_valid)
    return F.l1_loss(output.intra, truth.intra) + F.l1_loss(output.inter, truth.inter)


def compute_coordination(features: Tensor, in_hole: Tensor, in_valid: Tensor) -> Coordination:
    """Compute the cosines between class vectors. Rows and columns of absent classes are zero.

    Args:
        features: B×C×h×w.
        in_hole: areas of the classes inside the hole, B×K×h×w.
        in_valid: areas of the classes outside the hole, B×K×h×w.
    """
    # The matrices can differ by less than the resolution of half precision.
    with without_autocast(features):
        hole_rows = F.normalize(pool_regions(features, in_hole).means, dim=-1)  # M_c, B×K×C
        valid_rows = F.normalize(pool_regions(features, in_valid).means, dim=-1)  # M_n
        return Coordination(intra=hole_rows @ hole_rows.mT, inter=hole_rows @ valid_rows.mT)
