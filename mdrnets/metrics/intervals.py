"""Confidence intervals over the images of one training.

Means get a percentile bootstrap (Efron & Tibshirani 1993, chapter 13). The Fréchet distance gets a
delete-d jackknife (Shao & Wu, "A General Theory for Jackknife Variance Estimation", Annals of
Statistics 1989): repeated images bias it upwards, so that a bootstrap interval may not contain the
estimate, and a jackknife repeats no image.
"""

from collections.abc import Callable
from statistics import NormalDist
from typing import NamedTuple

import numpy as np


class Interval(NamedTuple):
    """The ends of a confidence interval."""

    low: float
    high: float


def bootstrap_mean(values: np.ndarray, *, resamples: int, confidence: float, seed: int) -> Interval:
    """Percentile bootstrap interval of a mean.

    Args:
        values: N finite numbers, one for each image.
        resamples: number of samples of N values, drawn with replacement.
        confidence: for example 0.95.
        seed: the same seed and N select the same images, independent of the values.

    Raises:
        ValueError: no value is given, or one is not finite.
    """
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise ValueError(f"expected a vector of finite values, got shape {values.shape}")
    drawn = np.random.default_rng(seed).integers(len(values), size=(resamples, len(values)))
    means = values[drawn].mean(axis=1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))


def half_jackknife(
    estimate: float,
    statistic: Callable[[np.ndarray], float],
    n: int,
    *,
    resamples: int,
    confidence: float,
    seed: int,
) -> Interval:
    """Delete-half jackknife interval of a smooth statistic, by the normal approximation.

    The variance over random halves of the images is that over samples of all images up to the known
    factor (n − d) / d. The interval shows how much the value depends on the choice of images; it
    does not correct a bias that depends on n.

    Args:
        estimate: the statistic of all `n` images, the centre of the interval.
        statistic: computes the statistic of the images at the given int64 positions.
        n: number of images, at least 4.
        resamples: number of random halves.
        confidence: for example 0.95.
        seed: seed of the random halves.
    """
    if n < 4:
        raise ValueError(f"expected at least 4 images for a jackknife, got {n}")
    deleted = n // 2
    generator = np.random.default_rng(seed)
    halves = [statistic(generator.permutation(n)[deleted:]) for _ in range(resamples)]
    deviation = np.sqrt((n - deleted) / deleted * np.var(halves, ddof=1))
    half_width = NormalDist().inv_cdf((1 + confidence) / 2) * float(deviation)
    return Interval(estimate - half_width, estimate + half_width)
