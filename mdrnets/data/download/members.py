"""List the files of an archive or folder without reading them, and check their names.

Files that operating systems and editors leave in folders are ignored: names that begin with a dot,
and the folders and files of `_IGNORED`.
"""

import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from mdrnets.data.archive import is_number, sort_stems
from mdrnets.data.bad_files import require_none
from mdrnets.data.download.html_pages import is_html_page
from mdrnets.errors import UserError
from mdrnets.files.archives import MAX_MEMBER_BYTES, open_zip, read_member
from mdrnets.files.text import unreadable_error

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
MAX_NAME_BYTES = 255
"""Maximum length of a file's name on most file systems."""
_IGNORED = {
    "__macosx",  # in archives made on macOS
    "@eadir",  # thumbnails of Synology's file servers
    "thumbnails",
    "thumbs.db",
    "desktop.ini",
    "#recycle",
    "$recycle.bin",
    "lost+found",
}
ALL_FOLDERS = "."
"""The value of `folder` that selects all images of the archive."""


@dataclass(frozen=True)
class Member:
    """A file of an archive or folder.

    Attributes:
        name: path inside the archive or folder.
        modified: in a folder, the time of the file in seconds.
        unsafe: why the file must not be read; None: it is safe.
    """

    name: str
    bytes: int
    modified: float | None = None
    unsafe: str | None = None

    @property
    def flat(self) -> str:
        """The name without its folders."""
        return PurePosixPath(self.name).name

    @property
    def is_ignored(self) -> bool:
        """Whether the file, or a folder that it is in, is to be ignored."""
        return any(map(_is_ignored, re.split(r"[/\\]", self.name)))


def list_members(path: Path, *, where: Path | None = None, recursive: bool = False) -> list[Member]:
    """List the files of a zip archive or folder.

    Args:
        path: the archive or folder.
        where: the path that error messages name; default: `path`.
        recursive: for a folder, whether to list the files of its subfolders too.

    Raises:
        UserError: the file is not a zip archive.
    """
    where = where or path
    if path.is_dir():
        return list(_list_folder(path, "", recursive=recursive, parents=()))
    if _is_page(path):
        raise UserError(
            f"{where}: found an HTML page from the server, expected a zip archive; download it "
            "again"
        )
    with open_zip(path, remedy="download it again", where=where) as archive:
        return [_to_member(info) for info in archive.infolist()]


@contextmanager
def open_files(path: Path, *, remedy: str) -> Iterator[Callable[[str], bytes]]:
    """Open a zip archive or folder, and yield a function that reads a file of it by its name.

    Args:
        path: the archive or folder.
        remedy: what to do if it is missing or damaged, for error messages.

    Raises:
        UserError: the archive is missing or damaged. The function raises it for a damaged or
            unreadable file.
    """
    if path.is_dir():

        def read(name: str) -> bytes:
            try:
                return (path / name).read_bytes()
            except OSError as error:
                raise unreadable_error(
                    path, error, kind="a readable file", remedy=remedy, member=name
                ) from None

        yield read
    else:
        with open_zip(path, remedy=remedy) as archive:
            yield partial(read_member, archive, remedy=remedy)


def select_images(members: Sequence[Member], folder: str, *, where: Path) -> list[Member]:
    """Return the images below a folder, at any depth; other files are ignored.

    Args:
        members: the files of an archive or folder.
        folder: path of the folder, or the end of its path, or `ALL_FOLDERS`.
        where: the archive that error messages name.

    Raises:
        UserError: a file, in any folder, would be extracted outside of the archive's folder, or
            no image is found.
    """
    problems = [
        f"{where}: {member.name!r} {problem}"
        for member in members
        if (problem := member.unsafe or _find_escape(member))
    ]
    require_none(problems, where=where, total=len(members))
    images = [
        m for m in members if _is_below(m.name, folder) and _is_image(m.flat) and not m.is_ignored
    ]
    if not images:
        raise UserError(
            f"{where}: no image below a folder {folder!r}; correct `folder` of the source"
        )
    return images


def check_members(members: Sequence[Member], *, where: Path, files: int | None) -> None:
    """Check names, sizes and number of the files.

    Raises:
        UserError: a file is not an image with a flat, unique name, or the number of files is 0 or
            not `files`.
    """
    if not members:
        raise UserError(
            f"{where}: found no files, expected images ({', '.join(SUFFIXES)}); correct `path` or "
            "`folder` of the source"
        )
    problems = []
    stems: dict[str, str] = {}  # a number without leading zeros, or another name → file
    for member in sorted(members, key=lambda m: m.name):
        if problem := _find_problem_in_flat(member):
            problems.append(f"{where}: {member.name[:MAX_NAME_BYTES]!r} {problem}")
            continue
        stem = Path(member.name).stem
        key = str(int(stem)) if is_number(stem) else stem
        if key in stems:
            problems.append(
                f"{where}: {stems[key]!r} and {member.name!r} have the same name or number, "
                "expected one image for each; remove one of them"
            )
        else:
            stems[key] = member.name
    require_none(problems, where=where, total=len(members))
    if files is not None and len(stems) != files:
        raise UserError(
            f"{where}: found {len(stems):,} files, expected {files:,}"
            f"{_describe_difference(list(stems.values()), files)}; "
            "download it again, or correct `files` of the source in the profile"
        )


def find_problem(member: Member) -> str | None:
    """Return why an image, at any depth of its archive or folder, must not be read, or None."""
    if problem := member.unsafe or _find_escape(member):
        return problem
    try:
        length = len(member.flat.encode())
    except UnicodeEncodeError:
        return "has a name that is not UTF-8; rename it"
    if length > MAX_NAME_BYTES:
        return f"has a name of {length:,} bytes, expected at most {MAX_NAME_BYTES}; rename it"
    if member.bytes > MAX_MEMBER_BYTES:
        return f"has {member.bytes:,} bytes, expected at most {MAX_MEMBER_BYTES:,}; remove it"
    return None


def _find_problem_in_flat(member: Member) -> str | None:
    if problem := find_problem(member):
        return problem
    if re.search(r"[/\\]", member.name):
        return "is in a subfolder, expected a flat archive; repack it, or set `folder`"
    if not _is_image(member.name):
        return f"is not an image ({', '.join(SUFFIXES)}); remove it"
    return None


def _find_escape(member: Member) -> str | None:
    if member.name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", member.name):
        return "would be extracted outside of its folder; do not trust this archive"
    return None


def _is_page(path: Path) -> bool:
    with suppress(OSError), path.open("rb") as file:
        return is_html_page("", file.read(512))
    return False


def _is_image(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def _is_ignored(name: str) -> bool:
    hidden = name.startswith(".") and name not in (".", "..")
    return hidden or name.lower() in _IGNORED


def _is_below(name: str, folder: str) -> bool:
    return folder == ALL_FOLDERS or f"/{folder.strip('/')}/" in f"/{name}"


def _describe_difference(members: Sequence[str], files: int) -> str:
    """The first file that is missing or surplus, if the names are numbers."""
    names = [Path(member).stem for member in members]
    if len(members) > files:
        return f" (the first surplus file is {sort_stems(names)[files]!r})"
    if not all(map(is_number, names)):
        return ""
    present = {int(name) for name in names}
    lowest, highest = min(present), max(present)
    gap = next((n for n in range(lowest, highest) if n not in present), None)
    if gap is None:
        return f" (the numbers {lowest} to {highest} have no gap)"
    return f" (the first missing number is {gap})"


def _to_member(info: zipfile.ZipInfo) -> Member:
    unsafe = None
    if stat.S_ISLNK(info.external_attr >> 16):
        unsafe = "is a link; do not trust this archive"
    elif info.flag_bits & 0x1:
        unsafe = "is encrypted; repack it without a password"
    return Member(info.filename, info.file_size, unsafe=unsafe)


def _list_folder(
    path: Path, prefix: str, *, recursive: bool, parents: tuple[Path, ...]
) -> Iterator[Member]:
    """List the files of a folder.

    Args:
        path: the folder.
        prefix: its name inside the outermost folder, with a slash at the end.
        recursive: whether to list its subfolders' files too, or the subfolders themselves.
        parents: the folders that contain it, without links.
    """
    parents = (*parents, path.resolve())
    for entry in os.scandir(path):
        name = prefix + entry.name
        if _is_ignored(entry.name):
            continue
        try:
            is_folder, is_file = entry.is_dir(), entry.is_file()
        except OSError:  # a link to itself
            is_folder = is_file = False
        if is_folder:
            folder = Path(entry.path)
            if not recursive:
                yield Member(name + "/", 0)
            elif entry.is_symlink() and folder.resolve() in parents:
                yield Member(name, 0, unsafe="is a link to a folder that contains it; remove it")
            else:
                yield from _list_folder(folder, f"{name}/", recursive=True, parents=parents)
        elif not is_file:
            yield Member(name, 0, unsafe="is a broken link or a special file; remove it")
        else:
            status = entry.stat()
            yield Member(name, status.st_size, modified=status.st_mtime)
