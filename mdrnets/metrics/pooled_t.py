"""Do two networks differ by more than trainings of one network do?"""

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.stats import t as student


def pooled_t_test(
    a: Sequence[float], b: Sequence[float], others: Iterable[Sequence[float]] = ()
) -> float | None:
    """Two-sided p-value of equal means of two groups, with a variance pooled over all groups.

    The comparison of two groups in a one-way analysis of variance: Student's t with the degrees of
    freedom of all groups. It assumes that the variance is the same in all of them.

    Args:
        a: values of the first group, for example one score for each training.
        b: values of the second group.
        others: further groups, which only add to the estimate of the variance.

    Returns:
        None if no group has two values, so that there is no variance to estimate.
    """
    groups = [np.asarray(group, dtype=np.float64) for group in (a, b, *others)]
    freedom = sum(len(group) - 1 for group in groups)
    if freedom == 0:
        return None
    difference = abs(groups[0].mean() - groups[1].mean())
    variance = sum(((group - group.mean()) ** 2).sum() for group in groups) / freedom
    error = np.sqrt(variance * (1 / len(a) + 1 / len(b)))
    if error == 0:
        return float(difference == 0)
    return float(2 * student.sf(difference / error, freedom))
