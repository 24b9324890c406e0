"""The files of an archive or a folder, listed unread, and refused where their names are unsafe."""

import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mdrnets.errors import UserError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
LARGEST = 64 * 2**20
"""Bytes of a member: a 1024² PNG has 2 MB; a claim of gigabytes is no face."""
EVERYTHING = "."
"""As `folder`: all images, wherever they are."""


@dataclass(frozen=True)
class Member:
    """A file of an archive (`crc`) or of a folder (`modified`, seconds), by its path there."""

    name: str
    bytes: int
    crc: int | None = None
    modified: float | None = None
    unsafe: str | None = None

    @property
    def flat(self) -> str:
        """The name alone."""
        return PurePosixPath(self.name).name


def list_members(path: Path, *, where: Path | None = None, deep: bool = False) -> list[Member]:
    """The files of an archive or folder, unread.

    Args:
        path: of the archive or folder.
        where: what messages call it.
        deep: of a folder: its folders' files as well.

    Raises:
        UserError: it is a file, but no zip archive.
    """
    where = where or path
    if path.is_dir():
        return list(_in_folder(path, "", deep=deep))
    try:
        with zipfile.ZipFile(path) as opened:
            return [_member(info) for info in opened.infolist()]
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        with path.open("rb") as file:
            start = file.read(512).lstrip().lower()
        found = f"no readable zip archive ({error}), perhaps cut short"
        if start.startswith((b"<!doctype", b"<html")):
            found = "a web page, not a zip archive: the server answered with a message"
        raise UserError(f"{where}: {found}; get it again") from None


def images_below(members: Sequence[Member], folder: str, *, where: Path) -> list[Member]:
    """The images below a folder, at any depth; what else there is, nobody looks at.

    Args:
        members: of an archive or folder.
        folder: its path, or the end of it; `EVERYTHING`.
        where: what messages call the archive.

    Raises:
        UserError: a file, of whatever folder, would land outside; or there is no such image.
    """
    for member in members:
        if problem := member.unsafe or _outside(member):
            raise UserError(f"{where}: {member.name!r} {problem}")
    found = [m for m in members if _is_below(m.name, folder) and _is_image(m.flat)]
    if not found:
        raise UserError(
            f"{where} has no image below a folder {folder!r}; correct `folder` of the source"
        )
    return found


def check_members(members: Sequence[Member], *, where: Path, files: int | None) -> None:
    """Check names, sizes and number of files.

    Raises:
        UserError: names the first file that is not an image with a flat, unique name, or says
            how many are missing or too many.
    """
    stems: dict[str, str] = {}
    for member in sorted(members, key=lambda m: m.name):
        if problem := member.unsafe or _problem(member):
            raise UserError(f"{where}: {member.name!r} {problem}")
        stem = Path(member.name).stem
        if stem in stems:
            raise UserError(
                f"{where}: {stems[stem]!r} and {member.name!r} have one stem, which must name "
                "one image; remove one of them"
            )
        stems[stem] = member.name
    if files is not None and len(stems) != files:
        raise UserError(
            f"{where} holds {len(stems):,} files, expected {files:,}{_difference(stems, files)}; "
            "get it again, or correct `files` of the source in the profile"
        )


def _problem(member: Member) -> str | None:
    if outside := _outside(member):
        return outside
    if re.search(r"[/\\]", member.name):
        return "lies in a folder; all files must lie side by side: pack them flat, or give `folder`"
    if not _is_image(member.name):
        return f"is not one of the images ({', '.join(SUFFIXES)}); remove it"
    if member.bytes > LARGEST:
        return f"claims {member.bytes:,} bytes, more than an image of this kind has; remove it"
    return None


def _outside(member: Member) -> str | None:
    if member.name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", member.name):
        return "would land outside of the folder; this archive is not to be trusted"
    return None


def _is_image(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def _is_below(name: str, folder: str) -> bool:
    return folder == EVERYTHING or f"/{folder.strip('/')}/" in f"/{name}"


def _difference(stems: dict[str, str], files: int) -> str:
    """The first name that is absent or too many, where the names can tell."""
    names = sorted(stems)
    if len(names) > files:
        return f", the first beyond them is {stems[names[files]]!r}"
    if not all(re.fullmatch("[0-9]+", name) for name in names):
        return ""
    present = {int(name) for name in names}
    absent = next(
        n for n in range(min(present, default=0), files + len(names) + 1) if n not in present
    )
    return f", the first number that is absent is {absent}"


def _member(info: zipfile.ZipInfo) -> Member:
    unsafe = None
    if stat.S_ISLNK(info.external_attr >> 16):
        unsafe = "is a link; this archive is not to be trusted"
    elif info.flag_bits & 0x1:
        unsafe = "is encrypted; pack it without a password"
    return Member(info.filename, info.file_size, crc=info.CRC, unsafe=unsafe)


def _in_folder(path: Path, prefix: str, *, deep: bool) -> Iterator[Member]:
    for entry in os.scandir(path):
        name = prefix + entry.name
        if entry.is_dir():
            if deep:
                yield from _in_folder(Path(entry.path), f"{name}/", deep=True)
            else:
                yield Member(name + "/", 0)
        elif not entry.is_file():
            yield Member(name, 0, unsafe="is a broken link or no file; remove it")
        else:
            status = entry.stat()
            yield Member(name, status.st_size, modified=status.st_mtime)
