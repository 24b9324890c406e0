"""Kernel distance between the features of completions and of their ground truth.

Bińkowski et al., "Demystifying MMD GANs" (ICLR 2018): squared maximum mean discrepancy with the
kernel (xᵀy / D + 1)³. Unlike the Fréchet distance it is unbiased for any number of images, and it
may therefore be slightly negative. It is KID only with the features of FID.
"""

import numpy as np
from torch import Tensor

from mdrnets.metrics.frechet import to_double


def kernel_distance(a: np.ndarray, b: np.ndarray) -> float:
    """The U-statistic for paired samples (Gretton et al., JMLR 2012, lemma 6).

    Row i of both arrays belongs to the same image, so k(a_i, b_i) is left out, as k(a_i, a_i) is.
    Otherwise the similarity of an image to itself would count as similarity of the distributions.

    Args:
        a: n×D finite features.
        b: n×D finite features of the same images.

    Raises:
        ValueError: shapes differ, fewer than two rows, or a value is not finite.
    """
    x, y = to_double(a), to_double(b)
    if a.shape != b.shape:
        raise ValueError(f"expected two n×D arrays of paired rows, got {a.shape} and {b.shape}")
    cross = _kernel(x, y)
    h = _kernel(x, x) + _kernel(y, y) - cross - cross.T  # n×n
    n = len(h)
    return ((h.sum() - h.trace()) / (n * (n - 1))).item()


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.T / x.shape[1] + 1) ** 3
