"""Bringing a source into the run: one verified archive of images with flat names, and its manifest.

A source is obtained under a temporary name, verified there, and published by renaming, so that
what is used later is what was verified, however it was obtained.
"""

import json
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from mdrnets.config import expand
from mdrnets.data.progress import Progress, silent
from mdrnets.data.space import require_space
from mdrnets.errors import UserError
from mdrnets.files import replacing, write_text
from mdrnets.files import sha256 as digest_of

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
LARGEST = 64 * 2**20
"""Bytes of a member: a 1024² PNG has 2 MB; a claim of gigabytes is no face."""

_CHUNK = 2**20
_EPOCH = (
    1980,
    1,
    1,
    0,
    0,
    0,
)  # the earliest time of a zip archive: packing twice gives equal bytes


@dataclass(frozen=True)
class Manifest:
    """What was published: written beside the archive."""

    source: str
    licence: str
    files: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Member:
    """A file of an archive (`crc`) or of a folder (`modified`, seconds)."""

    name: str
    bytes: int
    crc: int | None = None
    modified: float | None = None
    unsafe: str | None = None


def locate(path: str | None, default: Path) -> Path:
    """Where a source lies: `path` with `$NAME` replaced, else `default`.

    Raises:
        UserError: there is no such file or folder, or an environment variable is not set.
    """
    if path is None:
        if not default.exists():
            raise UserError(
                f"{default}: there is no such archive; `snakemake` or `dvc repro data.dvc` brings "
                "the samples that the project ships"
            )
        return default
    found = expand(path)
    if not found.exists():
        raise UserError(
            f"{found}: there is no such archive or folder; put it there, or change `path` of the "
            "source in the profile"
        )
    return found


def fetch(
    path: Path,
    archive: Path,
    *,
    source: str,
    files: int,
    sha256: str | None,
    licence: str,
    progress: Progress = silent,
) -> Manifest:
    """Publish the archive or folder at `path` as `archive`, with a `.json` manifest beside it.

    Does nothing when the same files are published already.

    Args:
        path: a zip archive, or a folder, which is packed.
        archive: the final name.
        source: name of the source, for the manifest.
        files: how many files it must hold.
        sha256: of the archive (of a folder: of the packed archive); None: not checked.
        licence: for the manifest.
        progress: shows how far it is.

    Raises:
        UserError: what is wrong with the source, or the disk is too small.
    """
    members = list_members(path)
    check_members(members, where=path, files=files)
    manifest_path = archive.with_suffix(".json")
    published = _published(archive, manifest_path, members)
    if published is not None:
        wanted = Manifest(source, licence, files, published.bytes, sha256 or published.sha256)
        if published == wanted:
            return published

    require_space(archive, path.stat().st_size if path.is_file() else sum(m.bytes for m in members))
    with replacing(archive) as temporary:
        obtain(path, temporary, members, progress=progress)
        digest = verify(temporary, where=path, files=files, sha256=sha256, progress=progress)
        manifest = Manifest(source, licence, files, temporary.stat().st_size, digest)
    write_text(manifest_path, json.dumps(asdict(manifest), indent=2) + "\n")
    return manifest


def obtain(path: Path, target: Path, members: Sequence[Member], *, progress: Progress) -> None:
    """Copy an archive, or pack a folder: stored, in the order of names, with one fixed time."""
    if path.is_file():
        chunks = -(-path.stat().st_size // _CHUNK)
        with path.open("rb") as reader, target.open("wb") as writer:
            for chunk in progress(_chunks(reader), total=chunks, label=f"copy {path.name}, MiB"):
                writer.write(chunk)
        return
    names = sorted(member.name for member in members)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:
        for name in progress(names, total=len(names), label=f"pack {path.name}"):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3  # Unix, wherever it is packed
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, (path / name).read_bytes())


def verify(
    archive: Path,
    *,
    where: Path,
    files: int,
    sha256: str | None,
    progress: Progress = silent,
) -> str:
    """Check an obtained archive to its last byte.

    Args:
        archive: the file to read.
        where: what messages call it.
        files: how many files it must hold.
        sha256: of the file; None: not checked.
        progress: shows how far it is.

    Returns:
        The SHA-256 of the file.

    Raises:
        UserError: it is no readable archive, its names are unsafe, its hash is another, or a
            member is damaged.
    """
    check_members(list_members(archive, where=where), where=where, files=files)
    digest = digest_of(archive)
    if sha256 is not None and digest != sha256:
        raise UserError(
            f"{where}: its SHA-256 is {digest}, expected {sha256}; "
            "it is damaged or another version: get it again"
        )
    with zipfile.ZipFile(archive) as opened:
        members = opened.infolist()
        for member in progress(members, total=len(members), label=f"check {where.name}"):
            try:
                with opened.open(member) as reader:
                    for _ in _chunks(reader):  # reading to the end compares the checksum
                        pass
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
                raise UserError(
                    f"{where}: {member.filename} is damaged ({error}); get the archive again"
                ) from None
    return digest


def list_members(path: Path, *, where: Path | None = None) -> list[Member]:
    """The files of an archive or folder, unread.

    Raises:
        UserError: it is a file, but no zip archive.
    """
    where = where or path
    if path.is_dir():
        return [_entry(entry) for entry in os.scandir(path)]
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


def check_members(members: Sequence[Member], *, where: Path, files: int) -> None:
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
    if len(stems) != files:
        raise UserError(
            f"{where} holds {len(stems):,} files, expected {files:,}{_difference(stems, files)}; "
            "get it again, or correct `files` of the source in the profile"
        )


def _problem(member: Member) -> str | None:
    if member.name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", member.name):
        return "would land outside of the folder; this archive is not to be trusted"
    if re.search(r"[/\\]", member.name):
        return "lies in a folder; all files must lie side by side: pack them flat"
    if not member.name.lower().endswith(SUFFIXES) or member.name.startswith("."):
        return f"is not one of the images ({', '.join(SUFFIXES)}); remove it"
    if member.bytes > LARGEST:
        return f"claims {member.bytes:,} bytes, more than an image of this kind has; remove it"
    return None


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


def _published(archive: Path, manifest: Path, members: Sequence[Member]) -> Manifest | None:
    """The manifest of an earlier run, if its archive still holds just these members.

    Compared by names, sizes and checksums; the files of a folder have no checksum, so none may be
    younger than the archive.
    """
    try:
        published = Manifest(**json.loads(manifest.read_text(encoding="utf-8")))
        held = {member.name: member for member in list_members(archive)}
        written = archive.stat()
    except (OSError, ValueError, TypeError, UserError):
        return None  # not there, or of another version: made anew
    same = {m.name: m.bytes for m in members} == {name: m.bytes for name, m in held.items()}
    if not same or written.st_size != published.bytes:
        return None
    for member in members:
        if member.crc is not None and member.crc != held[member.name].crc:
            return None
        if member.modified is not None and member.modified > written.st_mtime:
            return None
    return published


def _member(info: zipfile.ZipInfo) -> Member:
    unsafe = None
    if stat.S_ISLNK(info.external_attr >> 16):
        unsafe = "is a link; this archive is not to be trusted"
    elif info.flag_bits & 0x1:
        unsafe = "is encrypted; pack it without a password"
    return Member(info.filename, info.file_size, crc=info.CRC, unsafe=unsafe)


def _entry(entry: "os.DirEntry[str]") -> Member:
    if entry.is_dir():
        return Member(entry.name + "/", 0)
    if not entry.is_file():
        return Member(entry.name, 0, unsafe="is a broken link or no file; remove it")
    status = entry.stat()
    return Member(entry.name, status.st_size, modified=status.st_mtime)


def _chunks(reader: IO[bytes]) -> Iterator[bytes]:
    while chunk := reader.read(_CHUNK):
        yield chunk
