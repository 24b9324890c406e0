"""Read zip archives that may be missing, damaged or hostile."""

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mdrnets.errors import UserError
from mdrnets.files.text import unreadable_error

DAMAGED_ZIP = (
    zipfile.BadZipFile,  # a wrong CRC included
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,  # bzip2, and offsets outside of the file
    ValueError,  # names that are not UTF-8 included
    RuntimeError,  # encryption; NotImplementedError: an unknown method, such as deflate64
    KeyError,
    IndexError,
    OverflowError,
    MemoryError,
    struct.error,
)
"""What `zipfile` raises for damaged archives, and for kinds that it cannot read."""
MAX_RATIO = 1100
"""A member's size / its compressed size. Deflate reaches 1032, on zeros."""
MAX_MEMBER_BYTES = 64 * 2**20
MAX_TOTAL_BYTES = 2**40
"""Limit for all members together. FFHQ in PNGs of 1024² pixels has 89 GB."""


@contextmanager
def open_zip(path: Path, *, remedy: str, where: Path | None = None) -> Iterator[zipfile.ZipFile]:
    """Open an archive, and name it in the error if it turns out to be damaged.

    Args:
        path: the archive.
        remedy: what to do if it is missing, for error messages, such as `download it again`.
        where: the path that error messages name; default: `path`.

    Raises:
        UserError: the archive is missing or damaged, or its members claim too many bytes.
    """
    where = where or path
    try:
        archive = zipfile.ZipFile(path)
    except DAMAGED_ZIP as error:
        raise unreadable_error(where, error, kind="a zip archive", remedy=remedy) from None
    with archive:
        total = sum(info.file_size for info in archive.infolist())
        if total > MAX_TOTAL_BYTES:
            raise UserError(
                f"{where}: its files claim {total:,} bytes, expected at most {MAX_TOTAL_BYTES:,}; "
                "do not trust this archive"
            )
        yield archive


def read_member(
    archive: zipfile.ZipFile,
    name: str,
    *,
    remedy: str,
    where: Path | None = None,
    limit: int = MAX_MEMBER_BYTES,
) -> bytes:
    """Read a member, of which no more bytes than the archive claims are ever unpacked.

    Args:
        archive: an open archive.
        name: of the member.
        remedy: what to do if it is damaged, for error messages.
        where: the path that error messages name; default: that of the archive.
        limit: most bytes of the member.

    Raises:
        UserError: it is missing, damaged, encrypted, packed by an unknown method, or too large.
    """
    try:
        info = archive.getinfo(name)
        if info.file_size > min(limit, MAX_RATIO * max(info.compress_size, 1)):
            raise ValueError(
                f"{info.file_size:,} bytes, packed in {info.compress_size:,}, are too many"
            )
        return archive.read(info)
    except DAMAGED_ZIP as error:
        path = where or archive.filename or "the archive"
        raise unreadable_error(
            path, error, kind="a readable file", remedy=remedy, member=name
        ) from None
