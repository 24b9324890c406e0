import numpy as np
import pytest
from scipy.stats import kstest, studentized_range, t, ttest_ind, tukey_hsd

from mdrnets.metrics.pooled_t import pooled_t_test


def _groups(count: int, size: int, seed: int = 0) -> list[list[float]]:
    values: list[list[float]] = np.random.default_rng(seed).normal(size=(count, size)).tolist()
    return values


def test_of_two_groups_it_is_students_t_test() -> None:
    a, b = _groups(2, 3)
    assert pooled_t_test(a, b) == pytest.approx(ttest_ind(a, b).pvalue)
    assert pooled_t_test(a, b[:2]) == pytest.approx(ttest_ind(a, b[:2]).pvalue)


def test_of_more_groups_it_has_the_statistic_of_tukeys_test() -> None:
    a, b, *others = _groups(5, 3)
    p = pooled_t_test(a, b, others)
    assert p is not None
    statistic = t.isf(p / 2, df=10)
    tukey = studentized_range.sf(np.sqrt(2) * statistic, 5, 10)
    assert tukey == pytest.approx(tukey_hsd(a, b, *others).pvalue[0, 1])


def test_p_is_uniform_without_a_difference() -> None:
    p = [pooled_t_test(a, b, c) for a, b, *c in (_groups(5, 2, seed=k) for k in range(1000))]
    assert kstest(p, "uniform").pvalue > 0.01


def test_one_value_in_each_group_gives_no_p() -> None:
    assert pooled_t_test([1], [2], [[3]]) is None


def test_groups_without_variance_differ_surely_or_not_at_all() -> None:
    assert pooled_t_test([1, 1], [2, 2]) == 0
    assert pooled_t_test([1, 1], [1, 1]) == 1
