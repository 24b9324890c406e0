from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from mdrnets.training import hole_augmentation
from mdrnets.training.hole_augmentation import augment_hole


def _blob(size: int, ratio: float, seed: int) -> np.ndarray:
    """A random rectangle of about this ratio, or its complement."""
    generator = np.random.default_rng(seed)
    side = max(1, round(size * min(ratio, 1 - ratio) ** 0.5))
    top, left = generator.integers(0, size - side + 1, size=2)
    hole = np.zeros((size, size), dtype=bool)
    hole[top : top + side, left : left + side] = True
    return hole if ratio <= 0.5 else ~hole


@given(
    size=st.integers(8, 40),
    ratio=st.floats(0.001, 0.999),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=150, deadline=None)
def test_a_variant_is_neither_empty_nor_full(size: int, ratio: float, seed: int) -> None:
    hole = _blob(size, ratio, seed)
    variant = augment_hole(hole, np.random.default_rng(seed))
    assert variant.shape == hole.shape and variant.dtype == np.bool_
    assert variant.any() and not variant.all()
    if 0.01 <= hole.mean() <= 0.6:
        assert 0.01 <= variant.mean() <= 0.6


def _only(monkeypatch: pytest.MonkeyPatch, *, dilate: float = 0, crop: float = 0) -> None:
    monkeypatch.setattr(hole_augmentation, "DILATE_PROBABILITY", dilate)
    monkeypatch.setattr(hole_augmentation, "CROP_PROBABILITY", crop)


def test_turns_and_mirrors_give_all_eight_symmetries(monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch)
    hole = np.zeros((8, 8), dtype=bool)
    hole[0, :3] = hole[1, 0] = True  # no symmetry of its own
    variants = {augment_hole(hole, np.random.default_rng(seed)).tobytes() for seed in range(100)}
    expected = {
        np.rot90(mirrored, k).tobytes() for mirrored in (hole, hole[:, ::-1]) for k in range(4)
    }
    assert variants == expected and len(expected) == 8


@given(size=st.integers(8, 40), radius=st.integers(1, 8), seed=st.integers(0, 2**32))
@settings(max_examples=50, deadline=None)
def test_two_passes_of_dilation_equal_the_square_window(size: int, radius: int, seed: int) -> None:
    hole = np.random.default_rng(seed).random((size, size)) < 0.02
    window = F.max_pool2d(torch.from_numpy(hole).float()[None], 2 * radius + 1, 1, radius)[0]
    assert np.array_equal(hole_augmentation._dilate(hole, radius), window.bool().numpy())


def test_dilation_grows_a_hole_by_at_most_a_thirty_second(monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch, dilate=1)
    hole = np.zeros((64, 64), dtype=bool)
    hole[28:36, 30:38] = True
    sides = {
        round(augment_hole(hole, np.random.default_rng(seed)).sum() ** 0.5) for seed in range(30)
    }
    assert sides == {8 + 2 * 1, 8 + 2 * 2}


def test_a_crop_is_enlarged_by_nearest_neighbour(monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch, crop=1)
    monkeypatch.setattr(hole_augmentation, "RATIOS", (0, 1))
    hole = np.random.default_rng(0).random((12, 12)) < 0.4
    expected = set()
    for turns, mirrored in product(range(4), (hole, hole[:, ::-1])):
        pixels = torch.from_numpy(np.rot90(mirrored, turns).copy()).float()
        for side in range(6, 13):
            for top, left in product(range(13 - side), repeat=2):
                crop = pixels[None, None, top : top + side, left : left + side]
                expected.add(F.interpolate(crop, size=(12, 12)).bool().numpy().tobytes())

    variants = {augment_hole(hole, np.random.default_rng(seed)).tobytes() for seed in range(100)}
    assert variants <= expected
    assert len(variants) > 80


def test_the_same_generator_gives_the_same_variant() -> None:
    hole = _blob(32, 0.2, 1)
    assert np.array_equal(
        augment_hole(hole, np.random.default_rng(4)), augment_hole(hole, np.random.default_rng(4))
    )
