import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mdrnets.data.duplicates import (
    MAX_BITS,
    difference_hashes,
    warn_of_near_duplicates,
)

WHERE = Path("faces.zip")


def _pictures(count: int, size: int) -> np.ndarray:
    """Smooth pictures of no likeness."""
    noise = np.random.default_rng(3).integers(0, 256, (count, 12, 12, 3), dtype=np.uint8)
    resized = [Image.fromarray(one).resize((size, size), Image.Resampling.BICUBIC) for one in noise]
    return np.stack([np.asarray(one) for one in resized])


def _distance(one: np.ndarray, other: np.ndarray) -> int:
    hashes = [difference_hashes(each[None])[0] for each in (one, other)]
    return int((hashes[0] != hashes[1]).sum())


@pytest.mark.parametrize("size", [32, 50, 64])
def test_a_hash_survives_compression_and_brightness_and_tells_pictures_apart(size) -> None:
    one, other = _pictures(2, size)
    brighter = np.clip(one.astype(int) + 6, 0, 255).astype(np.uint8)
    noisy = np.clip(one + np.random.default_rng(0).normal(0, 4, one.shape), 0, 255)
    for copy in (brighter, noisy.round().astype(np.uint8)):
        assert _distance(one, copy) <= MAX_BITS / 2
    assert _distance(one, other) > 2 * MAX_BITS
    assert difference_hashes(_pictures(1, size)).shape == (1, 480)


def test_each_bit_compares_neighbouring_cells() -> None:
    ramp = np.broadcast_to(np.arange(32, dtype=np.uint8)[:, None], (1, 32, 32, 3))
    across, down = difference_hashes(ramp)[0].reshape(2, -1)
    assert across.all() and not down.any()
    across, down = difference_hashes(ramp.swapaxes(1, 2))[0].reshape(2, -1)
    assert down.all() and not across.any()


def test_alike_images_of_different_roles_are_counted_and_listed(caplog) -> None:
    images = _pictures(4, 32)
    images[2] = np.clip(images[0].astype(int) + 3, 0, 255)
    images[3] = np.clip(images[1].astype(int) + 3, 0, 255)
    names = ["a", "b", "c", "d"]
    with caplog.at_level(logging.WARNING):
        roles = ["train", "train", "test", "train"]
        assert warn_of_near_duplicates(images, names, roles, where=WHERE) == 1
    assert "faces.zip" in caplog.text
    assert "c (test) and a (train)" in caplog.text
    assert "d (" not in caplog.text
    caplog.clear()
    roles = ["train", "validation", "test", "test"]
    assert warn_of_near_duplicates(images, names, roles, where=WHERE) == 2
    assert warn_of_near_duplicates(images[:2], names[:2], roles[:2], where=WHERE) == 0
