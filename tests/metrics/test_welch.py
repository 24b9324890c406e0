import numpy as np
import pytest
from scipy.stats import t, ttest_ind

from mdrnets.metrics.welch import welch_test


def test_each_sample_has_its_own_variance() -> None:
    """Welch 1947, with the degrees of freedom of Satterthwaite."""
    a, b = np.array([65.0, 67.0, 68.0]), np.array([88.0, 72.0, 77.0])
    errors = np.array([a.var(ddof=1), b.var(ddof=1)]) / 3
    freedom = errors.sum() ** 2 / (errors**2 / 2).sum()
    expected = 2 * t.sf(abs(a.mean() - b.mean()) / np.sqrt(errors.sum()), freedom)
    assert welch_test(a.tolist(), b.tolist()) == pytest.approx(expected)
    assert expected > ttest_ind(a, b).pvalue


def test_one_training_has_no_variance() -> None:
    assert welch_test([1], [2]) is None
    assert welch_test([1, 2], [2]) is None


def test_equal_trainings_differ_surely_or_not_at_all() -> None:
    assert welch_test([1, 1], [2, 2]) == 0
    assert welch_test([1, 1], [1, 1]) == 1
