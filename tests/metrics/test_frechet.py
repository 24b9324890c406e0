import numpy as np
import pytest
from pytorch_fid.fid_score import calculate_frechet_distance

from mdrnets.metrics.frechet import frechet_distance


def _features(n: int, dimensions: int, *, seed: int, scale: float = 1.0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    mixing = generator.normal(size=(dimensions, dimensions)) / np.sqrt(dimensions)
    features = generator.normal(size=(n, dimensions)) @ mixing * scale
    return np.maximum(features + 0.3, 0).astype(np.float32)


def _statistics(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    features = features.astype(np.float64)
    return features.mean(axis=0), np.cov(features, rowvar=False)


def test_it_equals_pytorch_fid_with_more_images_than_dimensions() -> None:
    a, b = _features(300, 24, seed=1), _features(200, 24, seed=2, scale=1.5)
    expected = calculate_frechet_distance(*_statistics(a), *_statistics(b))
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("n", "m"), [(20, 20), (20, 30), (20, 100)])
def test_it_equals_pytorch_fid_with_fewer_images_than_dimensions(n: int, m: int) -> None:
    a, b = _features(n, 50, seed=1), _features(m, 50, seed=2, scale=1.5)
    expected = calculate_frechet_distance(*_statistics(a), *_statistics(b))
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("n", "dimensions"), [(12, 40), (40, 12)])
def test_the_trace_is_that_of_the_eigenvalues_of_the_product(n: int, dimensions: int) -> None:
    a, b = _features(n, dimensions, seed=3), _features(n, dimensions, seed=4)
    (mean_a, cov_a), (mean_b, cov_b) = _statistics(a), _statistics(b)
    roots = np.sqrt(np.linalg.eigvals(cov_a @ cov_b).astype(complex)).real.sum()
    expected = np.square(mean_a - mean_b).sum() + np.trace(cov_a + cov_b) - 2 * roots
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-5)


def test_commuting_gaussians_have_a_closed_form() -> None:
    """Equal up to scale and shift: ‖shift‖² + (scale − 1)² tr C."""
    a = _features(100, 8, seed=5).astype(np.float64)
    b = 1.5 * a + 2
    mean, covariance = _statistics(a)
    expected = np.square(0.5 * mean + 2).sum() + 0.25 * np.trace(covariance)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("n", "dimensions"), [(30, 200), (200, 30), (50, 50)])
def test_equal_sets_are_at_distance_zero(n: int, dimensions: int) -> None:
    a = 100 * _features(n, dimensions, seed=6)
    assert 0 <= frechet_distance(a, a.copy()) < 1e-6
    assert 0 <= frechet_distance(a, a[::-1]) < 1e-6


def test_it_is_symmetric() -> None:
    a, b = _features(30, 40, seed=7), _features(25, 40, seed=8)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-10)


def test_bad_features_are_refused() -> None:
    a = _features(10, 4, seed=9)
    broken = a.copy()
    broken[3, 2] = np.nan
    for pair in ((a, broken), (broken, a)):
        with pytest.raises(ValueError, match="NaN"):
            frechet_distance(*pair)
    with pytest.raises(ValueError, match=r"4 .*3"):
        frechet_distance(a, a[:, :3])
    with pytest.raises(ValueError, match="at least two"):
        frechet_distance(a, a[:1])
