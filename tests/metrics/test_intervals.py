import numpy as np
import pytest
from scipy.stats import bootstrap

from mdrnets.metrics.frechet import frechet_distance
from mdrnets.metrics.intervals import Interval, bootstrap_mean, half_jackknife


def _values(n: int = 60, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).exponential(size=n)


def test_the_bootstrap_agrees_with_scipy() -> None:
    values = _values()
    ours = bootstrap_mean(values, resamples=20_000, confidence=0.95, seed=3)
    theirs = bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=4
    ).confidence_interval
    spread = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=0.03 * spread)
    assert ours.high == pytest.approx(theirs.high, abs=0.03 * spread)


def test_the_bootstrap_is_seeded_and_widens_with_confidence() -> None:
    values = _values()
    first = bootstrap_mean(values, resamples=200, confidence=0.9, seed=3)
    assert first == bootstrap_mean(values, resamples=200, confidence=0.9, seed=3)
    assert first != bootstrap_mean(values, resamples=200, confidence=0.9, seed=4)
    wider = bootstrap_mean(values, resamples=200, confidence=0.99, seed=3)
    assert wider.low < first.low < values.mean() < first.high < wider.high


def test_equal_values_leave_no_doubt() -> None:
    interval = bootstrap_mean(np.full(9, 2.5), resamples=100, confidence=0.95, seed=0)
    assert interval == (2.5, 2.5)
    assert bootstrap_mean(np.array([1.0]), resamples=100, confidence=0.95, seed=0) == (1, 1)


@pytest.mark.parametrize("values", [[], [1.0, np.inf], [np.nan], [[1.0, 2.0]]])
def test_the_bootstrap_refuses_what_it_cannot_average(values: list) -> None:
    with pytest.raises(ValueError, match="finite"):
        bootstrap_mean(np.array(values), resamples=100, confidence=0.95, seed=0)


@pytest.mark.parametrize("n", [40, 41])
def test_the_jackknife_of_a_mean_is_its_textbook_interval(n: int) -> None:
    values = _values(n)
    interval = half_jackknife(
        values.mean(),
        lambda rows: float(values[rows].mean()),
        n,
        resamples=20_000,
        confidence=0.95,
        seed=0,
    )
    reach = 1.96 * values.std(ddof=1) / np.sqrt(n)
    assert interval.high - values.mean() == pytest.approx(reach, rel=0.03)
    assert values.mean() - interval.low == pytest.approx(reach, rel=0.03)


def _pair(generator: np.random.Generator, n: int, dimensions: int) -> tuple[np.ndarray, np.ndarray]:
    """Rectified features with a decaying spectrum, and a distorted version of each row."""
    scale = np.arange(1.0, dimensions + 1) ** -0.5
    a = generator.normal(size=(n, dimensions)) * scale
    b = 0.9 * a + 0.5 * generator.normal(size=(n, dimensions)) * scale + 0.1 * scale
    return np.maximum(a, 0), np.maximum(b, 0)


def _frechet_interval(a: np.ndarray, b: np.ndarray) -> Interval:
    return half_jackknife(
        frechet_distance(a, b),
        lambda rows: frechet_distance(a[rows], b[rows]),
        len(a),
        resamples=40,
        confidence=0.95,
        seed=0,
    )


@pytest.mark.parametrize("dimensions", [10, 60])
def test_the_jackknife_of_the_frechet_distance_covers(dimensions: int) -> None:
    """95 % intervals hold the mean of the estimates in 88 to 100 % of 120 repetitions."""
    generator = np.random.default_rng(0)
    estimates, intervals = [], []
    for _ in range(120):
        a, b = _pair(generator, 30, dimensions)
        estimates.append(frechet_distance(a, b))
        intervals.append(_frechet_interval(a, b))
    expected = np.mean(estimates)
    coverage = np.mean([low <= expected <= high for low, high in intervals])
    width = np.mean([high - low for low, high in intervals])
    assert 0.88 <= coverage <= 1
    assert width < 2 * 2 * 1.96 * np.std(estimates)  # no interval covers by being useless


def test_the_jackknife_is_seeded_and_needs_four_images() -> None:
    values = _values(10)

    def interval(seed: int, n: int = 10) -> tuple[float, float]:
        return half_jackknife(
            1.0,
            lambda rows: float(values[rows].mean()),
            n,
            resamples=20,
            confidence=0.95,
            seed=seed,
        )

    assert interval(1) == interval(1)
    assert interval(1) != interval(2)
    with pytest.raises(ValueError, match="4"):
        interval(1, n=3)
