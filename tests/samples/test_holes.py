import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from mdrnets.errors import UserError
from samples.renderer.holes import STEPS, irregular_hole


def _hole(seed: int, size: int, step: int, *, at_border: bool) -> np.ndarray:
    return irregular_hole(np.random.default_rng(seed), size, step, at_border=at_border)


def _frame(hole: np.ndarray, width: int) -> np.ndarray:
    inner = np.zeros_like(hole)
    inner[width:-width, width:-width] = True
    return hole[~inner]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.sampled_from([32, 48, 96]),
    step=st.integers(0, STEPS - 1),
    at_border=st.booleans(),
)
def test_the_ratio_lies_strictly_inside_the_step(
    seed: int, size: int, step: int, at_border: bool
) -> None:
    hole = _hole(seed, size, step, at_border=at_border)
    assert hole.shape == (size, size)
    assert hole.dtype == np.bool_
    assert step * size * size < 10 * int(hole.sum()) < (step + 1) * size * size
    assert bool(_frame(hole, 1).any()) == at_border


@pytest.mark.parametrize("step", range(STEPS))
def test_a_hole_away_from_the_border_keeps_a_margin(step: int) -> None:
    for seed in range(5):
        assert not _frame(_hole(seed, 96, step, at_border=False), 6).any()


@pytest.mark.parametrize("at_border", [False, True])
def test_the_same_seed_draws_the_same_hole_whatever_the_global_state(at_border: bool) -> None:
    first = _hole(7, 64, 2, at_border=at_border)
    np.random.seed(1)
    np.testing.assert_array_equal(first, _hole(7, 64, 2, at_border=at_border))
    assert (first != _hole(8, 64, 2, at_border=at_border)).any()


def test_holes_are_irregular() -> None:
    """Neither one box nor dust: a few connected pieces that fill their bounding boxes badly."""
    holes = [_hole(seed, 96, 2, at_border=True) for seed in range(20)]
    pieces = [ndimage.label(hole)[1] for hole in holes]
    assert 1 < np.mean(pieces) < 15
    filled = []
    for hole in holes:
        rows, columns = np.nonzero(hole)
        filled.append(hole.sum() / (np.ptp(rows) + 1) / (np.ptp(columns) + 1))
    assert np.mean(filled) < 0.5


def test_ratios_spread_over_the_step() -> None:
    ratios = [_hole(seed, 64, 3, at_border=True).mean() for seed in range(60)]
    assert min(ratios) < 0.33
    assert max(ratios) > 0.37


@pytest.mark.parametrize("step", [-1, 6])
def test_a_step_outside_the_published_set_is_refused(step: int) -> None:
    with pytest.raises(UserError, match=f"step {step} was asked for: the steps are 0 to 5"):
        _hole(0, 96, step, at_border=True)


def test_a_size_too_small_for_the_steps_is_refused() -> None:
    with pytest.raises(UserError, match="size 31 was asked for: ask for 32 or more"):
        _hole(0, 31, 0, at_border=True)
