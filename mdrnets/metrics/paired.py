"""Is one method better than another? Paired over images: the same image with the same hole.

Means: bootstrap interval of the mean difference, two-sided Wilcoxon signed-rank test. The Fréchet
distance is no mean over images: half-jackknife interval (see `intervals`), and a permutation test
that swaps the methods' labels image by image (Good, "Permutation Tests", 2000). Many comparisons:
Holm, "A Simple Sequentially Rejective Multiple Test Procedure" (Scand. J. Statistics 1979).
"""

from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import torch
from scipy.stats import wilcoxon
from torch import Tensor

from mdrnets.metrics.intervals import bootstrap_mean, half_jackknife

BATCH = 64
"""Permutations at a time: bounds the memory."""


class Difference(NamedTuple):
    """The first minus the second, over `n` images.

    Attributes:
        value: the difference.
        low: end of its interval.
        high: end of its interval.
        p: two-sided, of no difference.
        n: images that it is computed from.
    """

    value: float
    low: float
    high: float
    p: float
    n: int


def mean_difference(
    differences: np.ndarray, *, resamples: int, confidence: float, seed: int
) -> Difference | None:
    """Compare two scores by their differences image by image.

    Args:
        differences: n numbers. Those that are not finite are left out: the PSNR of equal images is
            infinite.
        resamples: of the bootstrap.
        confidence: of the interval.
        seed: of the bootstrap.

    Returns:
        None where no difference is finite.
    """
    finite = differences[np.isfinite(differences)]
    if not len(finite):
        return None
    low, high = bootstrap_mean(finite, resamples=resamples, confidence=confidence, seed=seed)
    return Difference(float(finite.mean()), low, high, signed_rank(finite), len(finite))


def signed_rank(differences: np.ndarray) -> float:
    """Two-sided p of Wilcoxon's signed-rank test.

    Exact for few differences, else by the normal approximation: SciPy chooses. Zeros are ranked
    with the others and then left out (Pratt, JASA 1959), so that images on which the methods agree
    count as small differences. Without any other difference p is 1.
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
    """A difference of statistics that are no means; its p comes from the width of its interval.

    Where two distances to the same ground truth are compared, prefer the p of `label_swap`.

    Args:
        statistic: the difference, of the images at the given positions.
        n: number of images, at least 4.
        halves: of the jackknife.
        confidence: of the interval.
        seed: of the halves.
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
    """Two-sided p of equal Fréchet distances, by a paired permutation test.

    Were the methods alike, each image's two completions could trade places. p is the share of
    random trades, the observed one among them, whose difference is at least as large. Of several
    trainings of each method an image trades all its completions at once, and the differences are
    averaged.

    Args:
        a: n×D features of each training.
        b: as many; the k-th of `a` is compared with the k-th of these.
        truth: n×D features; row i of all is one image.
        permutations: number of random trades.
        seed: of the trades.
    """
    n = len(truth)
    swaps = np.random.default_rng(seed).integers(2, size=(permutations, n)).astype(bool)
    swaps = np.concatenate([np.zeros((1, n), dtype=bool), swaps])  # first as observed
    parts = [torch.from_numpy(part) for part in np.array_split(swaps, -(-len(swaps) // BATCH))]
    of_trainings = []
    for pair in zip(a, b, strict=True):
        x, y, z = (torch.from_numpy(np.asarray(r, dtype=np.float64)) for r in (*pair, truth))
        of_trainings.append(torch.cat([_swapped_differences(x, y, z, part) for part in parts]))
    differences = torch.stack(of_trainings).mean(dim=0).abs()
    observed = differences[0]
    rounding = 1e-9 * observed  # the same trade in another batch may differ in its last bits
    return (differences >= observed - rounding).double().mean().item()


def _swapped_differences(a: Tensor, b: Tensor, truth: Tensor, swaps: Tensor) -> Tensor:
    """The difference of the distances after each of P trades: P.

    Of ‖μ_a − μ‖² + tr C_a + tr C − 2 ‖X Yᵀ‖_* (see `frechet`), tr C cancels, and a trade only
    exchanges rows of X Yᵀ: the products with Yᵀ are made once, and no trade touches D again but for
    the means.
    """
    n = len(truth)
    y = truth - truth.mean(dim=0)
    if n > y.shape[1]:
        y = torch.linalg.qr(y, mode="r").R  # the same YᵀY with D rows
    products = a @ y.T, b @ y.T  # n×min(n, D)
    squares = a.square().sum(dim=1), b.square().sum(dim=1)  # n

    def distances(traded: Tensor) -> Tensor:
        """Of the set that takes b's rows where `traded`, else a's."""
        share = traded.to(a.dtype)  # P×n
        mean = ((1 - share) @ a + share @ b) / n  # P×D
        square = (1 - share) @ squares[0] + share @ squares[1]  # P
        trace = (square - n * mean.square().sum(dim=1)) / (n - 1)
        cross = torch.where(traded[:, :, None], products[1], products[0])  # P×n×min(n, D)
        cross = cross - cross.mean(dim=1, keepdim=True)
        nuclear = torch.linalg.svdvals(cross).sum(dim=1) / (n - 1)
        return (mean - truth.mean(dim=0)).square().sum(dim=1) + trace - 2 * nuclear

    return distances(swaps) - distances(~swaps)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values, in the given order.

    The k-th smallest of m is multiplied by m − k + 1; none is below a smaller one's, or above 1.
    """
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, position in enumerate(np.argsort(p_values, kind="stable").tolist()):
        largest = max(largest, (len(p_values) - rank) * p_values[position])
        adjusted[position] = min(1.0, largest)
    return adjusted
