import numpy as np
import pytest

from mdrnets.metrics.kid import kernel_distance


def _features(n: int, *, seed: int, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(loc=shift, size=(n, 6)).astype(np.float32)


def test_it_is_the_mean_over_pairs_of_different_images() -> None:
    a, b = _features(7, seed=1), _features(7, seed=2, shift=0.5)

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return (float(x.astype(np.float64) @ y.astype(np.float64)) / 6 + 1) ** 3

    terms = [
        kernel(a[i], a[j]) + kernel(b[i], b[j]) - kernel(a[i], b[j]) - kernel(b[i], a[j])
        for i in range(7)
        for j in range(7)
        if i != j
    ]
    assert kernel_distance(a, b) == pytest.approx(np.mean(terms), rel=1e-10)


def test_equal_sets_are_at_distance_zero() -> None:
    a = _features(20, seed=3)
    assert kernel_distance(a, a.copy()) == pytest.approx(0, abs=1e-12)


def test_it_is_unbiased_for_few_paired_images() -> None:
    """Two draws of one distribution, correlated in pairs: the mean over 400 repetitions is 0."""
    values = []
    for seed in range(400):
        common = _features(8, seed=seed)
        a, b = (common + _features(8, seed=1000 * k + seed) for k in (1, 2))
        values.append(kernel_distance(a, b))
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(400)
    assert min(values) < 0


def test_it_grows_with_the_difference() -> None:
    a = _features(50, seed=4)
    distances = [kernel_distance(a, _features(50, seed=5, shift=s)) for s in (0.0, 0.5, 1.0)]
    assert distances == sorted(distances)
    assert distances[2] > 0.5


def test_bad_features_are_refused() -> None:
    a = _features(5, seed=6)
    with pytest.raises(ValueError, match="paired"):
        kernel_distance(a, a[:4])
    with pytest.raises(ValueError, match="two images"):
        kernel_distance(a[:1], a[:1])
    with pytest.raises(ValueError, match="NaN"):
        kernel_distance(a, np.where(a == a[0, 0], np.nan, a))
