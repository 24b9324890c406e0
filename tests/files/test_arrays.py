import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mdrnets.errors import UserError
from mdrnets.files import atomic_write
from mdrnets.files.arrays import create_array, map_array


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no tmpfs can be mounted here: {error}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _fill(folder: Path) -> None:
    with pytest.raises(OSError), (folder / "other").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


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
    _fill(small_disk)
    array[:] = 7
    array.flush()
    assert np.array_equal(map_array(path, remedy="test again"), np.full((2, 2**18), 7, np.uint8))
