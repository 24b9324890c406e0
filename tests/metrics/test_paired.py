from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.stats import false_discovery_control, kstest, norm, wilcoxon

from mdrnets.metrics.frechet import frechet_distance
from mdrnets.metrics.intervals import bootstrap_mean
from mdrnets.metrics.paired import (
    holm,
    jackknife_difference,
    label_swap,
    mean_difference,
    signed_rank,
)

BOOTSTRAP: dict[str, Any] = {"resamples": 200, "confidence": 0.95, "seed": 3}


def _scores(n: int, shift: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    image = 3 * generator.normal(size=n)  # how hard an image is: common to both methods
    noise = generator.normal(size=(2, n))
    return image + shift + noise[0], image + noise[1]


def _features(n: int, dimensions: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Ground truth, and two equally distorted versions of it."""
    generator = np.random.default_rng(seed)
    truth, noise_a, noise_b = generator.normal(size=(3, n, dimensions))
    return truth + noise_a + 0.2, truth + noise_b + 0.2, truth


def test_means_are_compared_image_by_image() -> None:
    a, b = _scores(60, shift=1.0)
    result = mean_difference(a - b, **BOOTSTRAP)
    assert result is not None
    assert result.value == pytest.approx(a.mean() - b.mean())
    assert (result.low, result.high) == bootstrap_mean(a - b, **BOOTSTRAP)
    assert (result.p, result.n) == (wilcoxon(a, b).pvalue, 60)
    back = mean_difference(b - a, **BOOTSTRAP)
    assert back is not None
    assert (back.value, back.p) == (-result.value, result.p)


def test_infinite_differences_are_left_out() -> None:
    differences = np.random.default_rng(0).normal(size=20)
    expected = mean_difference(differences[4:], **BOOTSTRAP)
    differences[:4] = np.inf, -np.inf, np.nan, np.inf
    assert mean_difference(differences, **BOOTSTRAP) == expected
    assert mean_difference(np.full(5, np.inf), **BOOTSTRAP) is None


def test_the_signed_rank_test_is_that_of_all_sign_flips() -> None:
    differences = np.array([0.3, -0.1, 0.9, 1.4, -0.5, 2.0, 0.7])
    ranks = np.argsort(np.argsort(np.abs(differences))) + 1

    def statistic(signs: np.ndarray) -> float:
        return abs(float((signs * ranks).sum()))

    observed = statistic(np.sign(differences))
    flips = [statistic(np.array(signs)) >= observed for signs in product((-1, 1), repeat=7)]
    assert signed_rank(differences) == pytest.approx(np.mean(flips))


def test_zero_differences_are_ranked_and_then_left_out() -> None:
    few = np.array([0, 0, 0, 0.1, 0.4, -0.2, 0.3, 0.8, 0.5])
    ranks = np.array([4, 7, 5, 6, 9, 8])  # of the others; the negative one has 5
    flips = [abs(ranks @ signs) >= 39 - 2 * 5 for signs in product((-1, 1), repeat=6)]
    assert signed_rank(few) == pytest.approx(np.mean(flips))

    ranks = np.arange(21, 61)  # after 20 zeros
    signs = np.where(ranks % 3, 1, -1)
    z = (signs @ ranks) / np.sqrt(np.square(ranks).sum())
    many = np.concatenate([np.zeros(20), signs * ranks])
    assert signed_rank(many) == pytest.approx(2 * norm.sf(abs(z)))
    assert signed_rank(np.zeros(9)) == 1


def test_holm_multiplies_by_what_is_left_and_keeps_the_order() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.5]) == [1, 1]
    assert holm([0.04]) == [0.04]
    assert holm([]) == []


def test_holm_lies_between_no_adjustment_and_bonferronis() -> None:
    p = np.random.default_rng(0).uniform(size=24) ** 3
    adjusted = np.array(holm(p.tolist()))
    assert (adjusted >= false_discovery_control(p)).all()  # Benjamini-Hochberg is never stricter
    assert (adjusted <= np.minimum(1, 24 * p) + 1e-12).all()
    assert (np.diff(adjusted[np.argsort(p)]) >= 0).all()


def test_holm_rejects_a_true_hypothesis_in_no_more_than_one_family_of_twenty() -> None:
    generator = np.random.default_rng(0)
    false = [min(holm(generator.uniform(size=10).tolist())) < 0.05 for _ in range(2000)]
    assert 0.035 < np.mean(false) < 0.06


@pytest.mark.parametrize(("n", "dimensions"), [(7, 20), (12, 5)])
def test_swapping_labels_agrees_with_brute_force(n: int, dimensions: int) -> None:
    """Also where D < n, and the shorter product is used."""
    a, b, truth = _features(n, dimensions)
    a = 1.3 * a
    swaps = np.random.default_rng(5).integers(2, size=(99, n)).astype(bool)

    def difference(swap: np.ndarray) -> float:
        column = swap[:, None]
        first, second = np.where(column, b, a), np.where(column, a, b)
        return abs(frechet_distance(first, truth) - frechet_distance(second, truth))

    observed = difference(np.zeros(n, dtype=bool))
    larger = sum(difference(swap) >= observed - 1e-9 for swap in swaps)
    assert label_swap([a], [b], truth, permutations=99, seed=5) == pytest.approx((1 + larger) / 100)


def test_swapping_labels_finds_a_difference_and_is_symmetric() -> None:
    a, b, truth = _features(30, 60)
    worse = a + 0.5
    p = label_swap([worse], [b], truth, permutations=199, seed=1)
    assert p == pytest.approx(1 / 200)
    assert label_swap([b], [worse], truth, permutations=199, seed=1) == p
    assert label_swap([a], [a], truth, permutations=19, seed=1) == 1


def test_of_several_trainings_an_image_trades_all_its_completions_at_once() -> None:
    a, b, truth = _features(9, 14)
    c, d = 1.3 * a, np.roll(b, 1, axis=0)
    swaps = np.random.default_rng(5).integers(2, size=(99, 9)).astype(bool)

    def difference(swap: np.ndarray) -> float:
        column = swap[:, None]
        return abs(
            sum(
                frechet_distance(np.where(column, y, x), truth)
                - frechet_distance(np.where(column, x, y), truth)
                for x, y in ((a, b), (c, d))
            )
        )

    observed = difference(np.zeros(9, dtype=bool))
    larger = sum(difference(swap) >= observed - 1e-9 for swap in swaps)
    p = label_swap([a, c], [b, d], truth, permutations=99, seed=5)
    assert p == pytest.approx((1 + larger) / 100)


def test_swapping_labels_is_seeded() -> None:
    a, b, truth = _features(12, 20)
    p = [label_swap([a], [b], truth, permutations=150, seed=seed) for seed in (1, 1, 2)]
    assert p[0] == p[1] != p[2]


@pytest.mark.parametrize("dimensions", [4, 30])
def test_without_a_difference_p_is_uniform(dimensions: int) -> None:
    p = []
    for seed in range(200):
        a, b, truth = _features(14, dimensions, seed)
        p.append(label_swap([a], [b], truth, permutations=99, seed=seed))
    assert kstest(p, "uniform").pvalue > 0.01
    assert np.mean(np.array(p) <= 0.05) <= 0.09


def test_without_a_difference_the_signed_rank_test_keeps_its_size() -> None:
    p = []
    for seed in range(600):
        a, b = _scores(25, shift=0, seed=seed)
        p.append(signed_rank(a - b))
    assert 0.03 < np.mean(np.array(p) <= 0.05) < 0.07


def test_a_jackknifed_difference_is_tested_by_its_own_interval() -> None:
    values = np.random.default_rng(0).normal(0.4, size=40)

    def compare(shift: float, confidence: float = 0.95) -> tuple[float, bool]:
        result = jackknife_difference(
            lambda rows: float(values[rows].mean() + shift),
            40,
            halves=200,
            confidence=confidence,
            seed=0,
        )
        return result.p, result.low <= 0 <= result.high

    for shift in (-0.8, -0.4, -0.1, 0.0, 0.2):
        p, covers_zero = compare(shift)
        assert (p > 0.05) == covers_zero
        assert compare(shift, confidence=0.8)[0] == pytest.approx(p)
    constant: dict[str, Any] = {"halves": 10, "confidence": 0.95, "seed": 0}
    assert jackknife_difference(lambda rows: 0.0, 8, **constant).p == 1
    assert jackknife_difference(lambda rows: 2.0, 8, **constant).p == 0
