import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mdrnets.config.constants import STEPS
from samples.renderer.holes import irregular_hole


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
    hole = irregular_hole(np.random.default_rng(seed), size, step, at_border=at_border)
    assert hole.shape == (size, size)
    assert hole.dtype == np.bool_
    assert step * size * size < 10 * int(hole.sum()) < (step + 1) * size * size
    assert bool(_frame(hole, 1).any()) == at_border
