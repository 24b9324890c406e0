from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from mdrnets.config.data import TrainingHoles
from mdrnets.data.archive import Archive
from mdrnets.data.packing import pack_holes
from mdrnets.data.training_holes import assign_training_roles, read_training_hole
from mdrnets.errors import UserError

NVIDIA = TrainingHoles(source="masks", polarity="white_is_valid", threshold=0.6)


def _mask(rows: int, *, hole: int = 0, valid: int = 255, size: int = 40) -> np.ndarray:
    """So many rows from the top are missing."""
    mask = np.full((size, size), valid, dtype=np.uint8)
    mask[:rows] = hole
    return mask


@pytest.fixture
def archive_of(tmp_path: Path, write_zip, encode):
    def archive(masks: Mapping[str, np.ndarray]) -> Archive:
        members = {f"{stem}.png": encode(mask) for stem, mask in masks.items()}
        return Archive(write_zip(tmp_path / "masks.zip", members))

    return archive


def test_white_means_what_the_profile_says(archive_of) -> None:
    with archive_of({"00000": _mask(10)}) as masks:
        hole = read_training_hole(masks, "00000", NVIDIA, size=40)
        other = TrainingHoles(source="masks", polarity="white_is_hole", threshold=0.6)
        inverse = read_training_hole(masks, "00000", other, size=40)
    assert hole.dtype == bool
    assert hole[:10].all() and not hole[10:].any()
    np.testing.assert_array_equal(inverse, ~hole)


def test_grey_is_cut_at_the_threshold(archive_of) -> None:
    grey = np.full((40, 40), 255, dtype=np.uint8)
    grey[0], grey[1] = 153, 154  # 0.6 of white, and just above
    with archive_of({"00000": grey}) as masks:
        hole = read_training_hole(masks, "00000", NVIDIA, size=40)
    assert hole[0].all() and not hole[1:].any()


def test_masks_are_scaled_by_nearest_neighbour(archive_of) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    with archive_of({"00000": noise}) as masks:
        hole = read_training_hole(masks, "00000", NVIDIA, size=32)
    np.testing.assert_array_equal(hole, ~(noise > 153)[1::2, 1::2])


def test_a_mask_that_misses_all_or_nothing_is_not_used(archive_of) -> None:
    thin = _mask(0, size=80)
    thin[0] = 0  # a row that scaling down drops
    masks = {"0": _mask(10), "1": _mask(0), "2": _mask(40), "3": thin}
    with archive_of(masks) as archive:
        roles = assign_training_roles(archive, NVIDIA, size=40)
    assert roles == {"0": "train", "1": "unused", "2": "unused", "3": "unused"}


def test_the_wrong_polarity_is_recognised(archive_of) -> None:
    masks = {str(n): _mask(n + 4) for n in range(5)}
    wrong = NVIDIA.model_copy(update={"polarity": "white_is_hole"})
    with archive_of(masks) as archive:
        assert set(assign_training_roles(archive, NVIDIA, size=40).values()) == {"train"}
        with pytest.raises(UserError, match=r"masks\.zip: .*holes\.training\.polarity .* 85 %"):
            assign_training_roles(archive, wrong, size=40)


def test_they_are_packed_behind_the_others(tmp_path, write_zip, encode, archive_of) -> None:
    test = write_zip(tmp_path / "test.zip", {"5.png": encode(255 - _mask(6))})
    packed = tmp_path / "holes.npy"
    with Archive(test) as holes, archive_of({"00000": _mask(10), "00001": _mask(12)}) as masks:
        pack_holes(
            packed,
            holes,
            [("5", 2)],
            roles=["test", "train", "train"],
            size=40,
            training=(masks, NVIDIA, ["00001", "00000"]),
        )
    assert np.load(packed).mean(axis=(1, 2)).tolist() == [6 / 40, 12 / 40, 10 / 40]


def test_test_masks_may_be_white_where_the_image_is_valid(tmp_path, write_zip, encode) -> None:
    packed = tmp_path / "holes.npy"
    with Archive(write_zip(tmp_path / "test.zip", {"5.png": encode(_mask(6))})) as holes:
        pack_holes(packed, holes, [("5", 2)], roles=["test"], size=40, polarity="white_is_valid")
        assert np.load(packed).mean() == 6 / 40
        with pytest.raises(UserError, match=r"test\.zip: 5\.png .*holes\.polarity"):
            pack_holes(packed, holes, [("5", 2)], roles=["test"], size=40)
