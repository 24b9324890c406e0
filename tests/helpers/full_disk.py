"""A file system without free space."""

from pathlib import Path

import pytest


def fill_disk(folder: Path) -> None:
    """Write a file to a folder until its file system is full."""
    with pytest.raises(OSError), (folder / "other").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
