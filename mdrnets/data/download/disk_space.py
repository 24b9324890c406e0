"""Refusing to begin what the disk cannot hold."""

import shutil
from pathlib import Path

from mdrnets.errors import UserError

_SPARE = 64 * 2**20  # for the tables, records and logs beside a large file


def require_space(path: Path, size: int) -> None:
    """Check that a file of `size` bytes can be written at `path`.

    Raises:
        UserError: the disk has less free space, with both numbers.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(path.parent).free
    if free < size + _SPARE:
        raise UserError(
            f"{path} needs {mib(size + _SPARE)} and the disk has {mib(free)} free; "
            "free some space, or run the project from another disk"
        )


def mib(size: int) -> str:
    """A number of bytes as messages give it."""
    return f"{size / 2**20:,.0f} MiB"
