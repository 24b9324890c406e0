"""Fréchet distance between two sets of features, as in the Fréchet Inception distance.

Heusel et al., "GANs Trained by a Two Time-Scale Update Rule" (NeurIPS 2017), equation 6. It is
FID only with the features of pytorch-fid's Inception-v3; with others it carries their name.
"""

import numpy as np
import torch
from torch import Tensor


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """‖μ_a − μ_b‖² + tr(C_a + C_b − 2 (C_a C_b)^½), in float64.

    With centred features X, Y (divided by (n − 1)^½ and (m − 1)^½), C_a C_b = XᵀX YᵀY has the
    nonzero eigenvalues of X Yᵀ (X Yᵀ)ᵀ: the trace of its square root is the nuclear norm of
    X Yᵀ. This needs no matrix square root, has no imaginary part, and takes n³ instead of D³
    operations if there are fewer images than dimensions.

    Args:
        a: n×D finite features.
        b: m×D finite features.

    Returns:
        The distance, ≥ 0.

    Raises:
        ValueError: shapes differ, fewer than two rows, or a value is not finite.
    """
    x, mean_a = _centre(a)
    y, mean_b = _centre(b)
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"expected equal dimensions, got {x.shape[1]} and {y.shape[1]}")
    cross = torch.linalg.svdvals(_at_most_square(x) @ _at_most_square(y).T).sum()
    distance = (mean_a - mean_b).square().sum() + x.square().sum() + y.square().sum() - 2 * cross
    return max(0.0, float(distance))  # rounding may leave −1e-12 for equal sets


def _centre(features: np.ndarray) -> tuple[Tensor, Tensor]:
    """X with XᵀX = the sample covariance, and the mean."""
    x = to_double(features)
    mean = x.mean(dim=0)
    return (x - mean) / (len(x) - 1) ** 0.5, mean


def _at_most_square(x: Tensor) -> Tensor:
    """A matrix with the same XᵀX and at most D rows."""
    return x if x.shape[0] <= x.shape[1] else torch.linalg.qr(x, mode="r").R


def to_double(features: np.ndarray) -> Tensor:
    """Convert n×D features of at least two images to float64, or raise ValueError."""
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(f"expected n×D features of at least two images, got {features.shape}")
    # In torch, because the profile sets its number of threads, on which the last bits depend.
    x = torch.from_numpy(np.ascontiguousarray(features, dtype=np.float64))
    if not x.isfinite().all():
        raise ValueError("the features hold NaN or infinite values")
    return x
