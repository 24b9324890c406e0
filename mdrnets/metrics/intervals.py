"""Intervals of means and of statistics that are no means, over the images of one training.

Means: percentile bootstrap (Efron & Tibshirani 1993, chapter 13). The Fréchet distance: repeated
images bias it upwards, so that a bootstrap interval can miss its own estimate; it gets a delete-d
jackknife (Shao & Wu, "A General Theory for Jackknife Variance Estimation", Annals of Statistics
1989), which repeats none.
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
        values: N finite numbers, one an image.
        resamples: number of samples of N values, drawn with replacement.
        confidence: for example .95.
        seed: the same seed and N draw the same images, whatever the values.

    Raises:
        ValueError: no value, or one that is not finite.
    """
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise ValueError("a bootstrap needs finite values in one dimension, and at least one")
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

    The statistic of random halves of the images varies as that of all of them does, up to the
    known factor (n − d) / d. It says how far the value would move with other images; it does not
    correct a bias that depends on n.

    Args:
        estimate: the statistic of all `n` images: the middle of the interval.
        statistic: of the images at the given int64 positions.
        n: number of images, at least 4.
        resamples: number of random halves.
        confidence: for example .95.
        seed: of the halves.
    """
    if n < 4:
        raise ValueError(f"a jackknife of {n} images says nothing; at least 4 are needed")
    deleted = n // 2
    generator = np.random.default_rng(seed)
    halves = [statistic(generator.permutation(n)[deleted:]) for _ in range(resamples)]
    deviation = np.sqrt((n - deleted) / deleted * np.var(halves, ddof=1))
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * float(deviation)
    return Interval(estimate - reach, estimate + reach)
