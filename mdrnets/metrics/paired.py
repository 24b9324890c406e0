"""Paired comparisons of two methods over the same images with the same holes.

Means: a bootstrap interval of the mean difference and a two-sided Wilcoxon signed-rank test. The
Fréchet distance, which is not a mean over images: a half-jackknife interval (see `intervals`) and a
permutation test that swaps the methods' labels image by image (Good, "Permutation Tests", 2000).
Multiple comparisons: Holm, "A Simple Sequentially Rejective Multiple Test Procedure" (Scand. J.
Statistics 1979).
"""

from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import torch
from scipy.stats import wilcoxon
from torch import Tensor

from mdrnets.metrics.intervals import bootstrap_mean, half_jackknife


class Difference(NamedTuple):
    """The difference of two methods: the first minus the second.

    Attributes:
        value: the difference.
        low: lower end of its interval.
        high: upper end of its interval.
        p: two-sided p-value of the hypothesis of no difference.
        n: number of images.
    """

    value: float
    low: float
    high: float
    p: float
    n: int

    @property
    def sign(self) -> int:
        """1 or −1 if the interval excludes 0 on that side, otherwise 0."""
        return (self.low > 0) - (self.high < 0)


def mean_difference(
    differences: np.ndarray, *, resamples: int, confidence: float, seed: int
) -> Difference | None:
    """The mean of the differences of two scores, image by image.

    Args:
        differences: n numbers. Values that are not finite are ignored: the PSNR of equal images is
            infinite.
        resamples: number of bootstrap samples.
        confidence: confidence of the interval.
        seed: seed of the bootstrap.

    Returns:
        None if no difference is finite.
    """
    finite = differences[np.isfinite(differences)]
    if not len(finite):
        return None
    low, high = bootstrap_mean(finite, resamples=resamples, confidence=confidence, seed=seed)
    return Difference(float(finite.mean()), low, high, signed_rank(finite), len(finite))


def signed_rank(differences: np.ndarray) -> float:
    """Two-sided p-value of Wilcoxon's signed-rank test.

    SciPy computes it exactly for few differences, otherwise with the normal approximation. Zeros
    are ranked with the others and then dropped (Pratt, JASA 1959), so that images on which the
    methods agree count as small differences. If all differences are zero, p is 1.
    """
    if not differences.any():
        return 1.0
    return float(wilcoxon(differences, zero_method="pratt").pvalue)


def jackknife_difference(
    statistic: Callable[[np.ndarray], float],
    n: int,
    *,
    halves: int,
    confidence: float,
    seed: int,
) -> Difference:
    """A difference of statistics that are not means; p is derived from the width of its interval.

    To compare two distances to the same ground truth, prefer the p-value of `label_swap`.

    Args:
        statistic: computes the difference for the images at the given positions.
        n: number of images, at least 4.
        halves: number of random halves of the jackknife.
        confidence: confidence of the interval.
        seed: seed of the random halves.
    """
    value = statistic(np.arange(n))
    low, high = half_jackknife(
        value, statistic, n, resamples=halves, confidence=confidence, seed=seed
    )
    normal = NormalDist()
    deviation = (high - low) / (2 * normal.inv_cdf((1 + confidence) / 2))
    p = 2 * normal.cdf(-abs(value) / deviation) if deviation else float(value == 0)
    return Difference(value, low, high, p, n)


def label_swap(
    a: Sequence[np.ndarray],
    b: Sequence[np.ndarray],
    truth: np.ndarray,
    *,
    permutations: int,
    seed: int,
) -> float:
    """Two-sided p-value of a difference of Fréchet distances, by a paired permutation test.

    Under the null hypothesis, the two completions of each image are exchangeable. p is the share of
    random permutations, including the observed one, whose difference is at least as large. With
    several trainings of each method, all completions of an image are swapped together, and the
    differences are averaged.

    Args:
        a: n×D features of each training of the first method.
        b: n×D features of each training of the second method; the k-th of `a` is compared with the
            k-th of `b`.
        truth: n×D features of the ground truth; row i of all arrays belongs to the same image.
        permutations: number of random permutations.
        seed: seed of the permutations.
    """
    n = len(truth)
    swaps = np.random.default_rng(seed).integers(2, size=(permutations, n)).astype(bool)
    swaps = np.concatenate([np.zeros((1, n), dtype=bool), swaps])  # the first as observed
    by_training = []
    for pair in zip(a, b, strict=True):
        x, y, z = (torch.from_numpy(np.asarray(r, dtype=np.float64)) for r in (*pair, truth))
        by_training.append(_swap_labels(x, y, z, torch.from_numpy(swaps)))
    differences = torch.stack(by_training).mean(dim=0).abs()
    observed = differences[0]
    rounding = 1e-6 * observed  # in the roots of eigenvalues near 0
    return float((differences >= observed - rounding).double().mean())


def _swap_labels(a: Tensor, b: Tensor, truth: Tensor, swaps: Tensor) -> Tensor:
    """The differences of the distances for P permutations, shape P.

    In ‖μ_a − μ‖² + tr C_a + tr C − 2 ‖X Yᵀ‖_* (see `frechet`), tr C cancels, and a swap only
    exchanges rows of X Yᵀ. The products with Yᵀ are therefore computed once, and only the means
    involve D again for each permutation. The singular values of X Yᵀ are the roots of the
    eigenvalues of (X Yᵀ)ᵀ X Yᵀ, which take a quarter of the time.
    """
    n = len(truth)
    y = truth - truth.mean(dim=0)
    if n > y.shape[1]:
        y = torch.linalg.qr(y, mode="r").R  # the same YᵀY with D rows
    products = a @ y.T, b @ y.T  # n×min(n, D)
    squares = a.square().sum(dim=1), b.square().sum(dim=1)  # n

    def distances(swapped: Tensor) -> Tensor:
        """Distances of the features with b's rows where `swapped`, otherwise a's: P."""
        share = swapped.to(a.dtype)  # P×n
        mean = ((1 - share) @ a + share @ b) / n  # P×D
        square = (1 - share) @ squares[0] + share @ squares[1]  # P
        trace = (square - n * mean.square().sum(dim=1)) / (n - 1)
        nuclear = torch.stack([nuclear_norm(swap) for swap in swapped[:, :, None]])
        distance: Tensor = (mean - truth.mean(dim=0)).square().sum(dim=1) + trace
        return distance - 2 * nuclear / (n - 1)

    def nuclear_norm(swap: Tensor) -> Tensor:
        cross = torch.where(swap, products[1], products[0])  # n×min(n, D)
        cross = cross - cross.mean(dim=0)
        eigenvalues: Tensor = torch.linalg.eigvalsh(cross.T @ cross)
        return eigenvalues.clamp(min=0).sqrt().sum()

    return distances(swaps) - distances(~swaps)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values, in the given order.

    The k-th smallest of m values is multiplied by m − k + 1. The results are limited to 1 and made
    monotone: no adjusted value is below that of a smaller p-value.
    """
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, position in enumerate(np.argsort(p_values, kind="stable").tolist()):
        largest = max(largest, (len(p_values) - rank) * p_values[position])
        adjusted[position] = min(1.0, largest)
    return adjusted
