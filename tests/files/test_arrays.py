from pathlib import Path

import numpy as np
import pytest

from mdrnets.errors import UserError
from mdrnets.files import atomic_write
from mdrnets.files.arrays import create_array, map_array
from tests.helpers.full_disk import fill_disk


def test_an_array_that_the_disk_cannot_hold_is_refused(small_disk: Path) -> None:
    path = small_disk / "faces.npy"
    with (
        pytest.raises(UserError, match=r"disk/faces\.npy: .* 2\.0 MiB"),
        atomic_write(path) as temporary,
    ):
        create_array(temporary, name=path, shape=(2, 2**20), dtype="uint8")
    assert list(small_disk.iterdir()) == []


def test_a_disk_that_fills_later_leaves_the_array_its_space(small_disk: Path) -> None:
    path = small_disk / "faces.npy"
    array = create_array(path, name=path, shape=(2, 2**18), dtype="uint8")
    blocks = path.stat().st_blocks
    assert blocks * 512 >= array.nbytes  # else the writing below would kill this process
    fill_disk(small_disk)
    array[:] = 7
    array.flush()
    assert np.array_equal(map_array(path, remedy="test again"), np.full((2, 2**18), 7, np.uint8))
