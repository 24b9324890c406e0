"""Do two networks differ by more than their own trainings do?"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import ttest_ind


def welch_test(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Two-sided p-value of equal means of two samples, whose variances may differ.

    Args:
        a: for example the score of each training of a network.
        b: the same of another network.

    Returns:
        None if a sample has fewer than two values, so that its variance is unknown.
    """
    if min(len(a), len(b)) < 2:
        return None
    if not (np.var(a) or np.var(b)):  # no t: the error is 0
        return float(np.mean(a) == np.mean(b))
    return float(ttest_ind(a, b, equal_var=False).pvalue)
