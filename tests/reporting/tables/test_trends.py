import math

import numpy as np
import pytest

from mdrnets.reporting.tables.trends import MIN_POINTS, Trend, find_trends, fit_trend
from mdrnets.training.history import HistoryRow


def _points(count: int, rate: float, noise: float = 0.0) -> list[tuple[int, float]]:
    """Means that fall by `rate` in the logarithm over the whole phase."""
    errors = noise * np.random.default_rng(3).standard_normal(count)
    return [(10 * n, math.exp(errors[n - 1] - rate * n / count)) for n in range(1, count + 1)]


def test_the_fitted_change_is_that_of_the_second_half() -> None:
    trend = fit_trend(_points(20, rate=0.5))
    assert trend is not None
    assert trend.steps == 200
    assert trend.change == pytest.approx(math.exp(-0.25) - 1)
    assert trend.margin == pytest.approx(0, abs=1e-6)
    assert trend.is_improving


def test_noise_widens_the_interval_until_nothing_is_shown() -> None:
    precise, vague = (fit_trend(_points(20, 0.5, noise)) for noise in (0.01, 0.5))
    assert precise is not None and vague is not None
    assert precise.margin < vague.margin
    assert precise.is_improving and not vague.is_improving


def test_the_interval_contains_the_true_change_in_19_of_20_fits() -> None:
    generator = np.random.default_rng(0)
    contained = 0
    for _ in range(400):
        points = [(n, math.exp(0.1 * generator.standard_normal())) for n in range(1, 21)]
        trend = fit_trend(points)
        assert trend is not None
        contained += abs(trend.change) <= trend.margin
    assert 370 <= contained <= 392


def test_a_loss_that_rises_is_not_improving() -> None:
    assert not Trend(steps=10, change=0.1, margin=0.05).is_improving
    assert not Trend(steps=10, change=-0.1, margin=0.1).is_improving


def test_too_few_means_and_losses_that_reach_zero_have_no_trend() -> None:
    assert fit_trend(_points(2 * MIN_POINTS, 0.5)) is not None
    assert fit_trend(_points(2 * MIN_POINTS - 1, 0.5)) is not None  # as many in the second half
    assert fit_trend(_points(2 * MIN_POINTS - 2, 0.5)) is None
    assert fit_trend([(n, max(0.0, 15.0 - n)) for n in range(20)]) is None


def test_each_phase_has_the_trends_of_its_main_losses() -> None:
    terms = ("l1_coarse", "l1_refined", "adversarial", "style")
    history = [HistoryRow("first", n, {"nll": 1 / n}) for n in range(1, 21)]
    history += [HistoryRow("second", n, dict.fromkeys(terms, 1 / n)) for n in range(1, 11)]
    found = [(phase, term, trend.steps) for phase, term, trend in find_trends(history)]
    assert found == [("first", "nll", 20), ("second", "l1_refined", 10)]
