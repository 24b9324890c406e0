"""Atomic writes, hashes, and reproducible zip members."""

import errno
import hashlib
import os
import platform
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from mdrnets.errors import UserError

FULL_DISK_BYTES = 2**16
"""With fewer bytes free, any write error is reported as a full disk."""
FULL_DISK = (errno.ENOSPC, errno.EDQUOT)
"""Error numbers of the system for a file that cannot grow."""
_EARLIEST_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip archive can store."""


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if the block succeeds.

    The file is synced first, so that a power cut leaves either the old or the new one. If the block
    fails, the temporary file is removed and `path` stays unchanged. A process that is killed leaves
    its temporary file, which the next one on this machine that writes into the folder removes.

    Raises:
        UserError: the disk is full, or the folder of `path` is a file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        found = next(filter(Path.is_file, path.parents), path.parent)
        raise UserError(f"{found}: found a file, expected a folder; rename it") from None
    temporary = path.with_name(f".{path.name}.{platform.node()}.{os.getpid()}.part")
    _remove_leftovers(path.parent.absolute())
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except Exception as error:
        full = _is_full(path.parent, error)
        temporary.unlink(missing_ok=True)
        if full and not isinstance(error, UserError):
            raise UserError(f"{path}: the disk is full; free some space and run again") from None
        raise
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@cache
def _remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of processes that are gone.

    Once for each folder: listing 70,000 images at each write takes half an hour in all.
    """
    import psutil  # here, so that `--help` stays fast

    name = re.compile(rf"\..+\.{re.escape(platform.node())}\.([0-9]{{1,9}})\.part")
    for path in folder.glob(".*.part"):
        match = name.fullmatch(path.name)
        if match and not psutil.pid_exists(int(match[1])):
            path.unlink(missing_ok=True)


def _is_full(folder: Path, error: Exception) -> bool:
    """Whether a full disk is the cause; PyTorch and NumPy hide the system's error number."""
    reported = isinstance(error, OSError) and error.errno in FULL_DISK
    return reported or shutil.disk_usage(folder).free < FULL_DISK_BYTES


def write_text(path: Path, text: str) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def sha256(path: Path) -> str:
    return hash_file(path, "sha256")


def hash_file(path: Path, kind: str) -> str:
    """The hexadecimal digits of a file's hash, of a kind that `hashlib` has."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def reproducible_zipinfo(name: str) -> zipfile.ZipInfo:
    """The same entry at any time and on any system, stored; for `ZipFile.writestr`."""
    member = zipfile.ZipInfo(name, _EARLIEST_TIME)
    member.create_system = 3  # Unix, on every system
    member.external_attr = 0o644 << 16
    return member


def add_deflated(archive: zipfile.ZipFile, path: Path, content: bytes) -> None:
    """Add a compressed file to an archive; the same content gives the same bytes."""
    archive.writestr(reproducible_zipinfo(path.as_posix()), content, zipfile.ZIP_DEFLATED)
