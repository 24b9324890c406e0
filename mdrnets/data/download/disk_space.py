"""Check the free disk space before a large file is written."""

import shutil
from pathlib import Path

from mdrnets.errors import UserError

_RESERVE = 64 * 2**20
"""Bytes that stay free for the tables, records and logs beside a large file."""


def require_space(path: Path, size: int) -> None:
    """Check that a file of `size` bytes can be written at `path`.

    Raises:
        UserError: the disk has less free space.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(path.parent).free
    if free < size + _RESERVE:
        raise UserError(
            f"{path}: the disk has {format_mib(free)} free, expected at least "
            f"{format_mib(size + _RESERVE)}; free some space, or run the project on another disk"
        )


def format_mib(size: int) -> str:
    """Format a number of bytes for messages."""
    return f"{size / 2**20:,.0f} MiB"
