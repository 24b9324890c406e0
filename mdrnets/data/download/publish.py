"""Bringing a source into the run: one verified archive of images with flat names, and its manifest.

A source is obtained under a temporary name, verified there, and published by renaming, so that
what is used later is what was verified, however it was obtained.
"""

import json
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO

from mdrnets.config.load import expand
from mdrnets.data.download.disk_space import require_space
from mdrnets.data.download.members import Member, check_members, images_below, list_members
from mdrnets.data.progress import Progress, silent
from mdrnets.data.resizing import downscale
from mdrnets.errors import UserError
from mdrnets.files import atomic_write, reproducible_zipinfo, write_text
from mdrnets.files import sha256 as digest_of

_CHUNK = 2**20


@dataclass(frozen=True)
class Manifest:
    """What was published: written beside the archive.

    Attributes:
        shrink: pixels that larger images were scaled down to; None: as they came.
        original: SHA-256 of the file that the images were taken from; None: it is the archive
            itself, or a folder.
    """

    source: str
    licence: str
    files: int
    bytes: int
    sha256: str
    shrink: int | None = None
    original: str | None = None


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
    files: int | None,
    sha256: str | None,
    licence: str,
    folder: str | None = None,
    shrink: int | None = None,
    progress: Progress = silent,
) -> Manifest:
    """Publish the archive or folder at `path` as `archive`, with a `.json` manifest beside it.

    Does nothing when the same files are published already.

    Args:
        path: a zip archive, or a folder, which is packed.
        archive: the final name.
        source: name of the source, for the manifest.
        files: how many images it must hold; None: not counted.
        sha256: of the file at `path`, or its first digits (of a folder: of the packed archive);
            None: not checked.
        licence: for the manifest.
        folder: take the images below this folder alone, and pack them anew; None: all files, which
            lie side by side.
        shrink: pixels to scale larger images down to, with `folder`.
        progress: shows how far it is.

    Raises:
        UserError: what is wrong with the source, or the disk is too small.
    """
    members = list_members(path, deep=folder is not None)
    original = None
    if folder is not None:
        members = images_below(members, folder, where=path)
        if path.is_file():
            original = digest_of(path)
            _check_hash(original, sha256, path)
            sha256 = None
    flat = [replace(member, name=member.flat) for member in members] if folder else members
    check_members(flat, where=path, files=files)

    manifest_path = archive.with_suffix(".json")
    wanted = Manifest(source, licence, len(members), 0, sha256 or "", shrink, original)
    published = _published(archive, manifest_path, flat, wanted)
    if published is not None:
        return published

    repacked = path.is_dir() or folder is not None
    size = sum(m.bytes for m in members) if repacked else path.stat().st_size
    require_space(archive, size)
    with atomic_write(archive) as temporary:
        if repacked:
            pack(path, temporary, members, shrink=shrink, progress=progress)
        else:
            copy(path, temporary, progress=progress)
        digest = verify(temporary, where=path, files=len(members), sha256=sha256, progress=progress)
        manifest = replace(wanted, bytes=temporary.stat().st_size, sha256=digest)
    write_manifest(manifest_path, manifest)
    return manifest


def publish(
    path: Path,
    target: Path,
    *,
    source: str,
    sha256: str | None,
    licence: str,
    progress: Progress = silent,
) -> Manifest:
    """Copy one file, such as a network's weights, with a manifest beside it; arguments as `fetch`.

    Raises:
        UserError: it has another hash, or the disk is too small.
    """
    digest = digest_of(path)
    _check_hash(digest, sha256, path)
    manifest = Manifest(source, licence, 1, path.stat().st_size, digest)
    if not (target.exists() and digest_of(target) == digest):
        require_space(target, manifest.bytes)
        with atomic_write(target) as temporary:
            copy(path, temporary, progress=progress)
    write_manifest(target.with_suffix(".json"), manifest)
    return manifest


def write_manifest(path: Path, manifest: Manifest) -> None:
    write_text(path, json.dumps(asdict(manifest), indent=2) + "\n")


def copy(path: Path, target: Path, *, progress: Progress) -> None:
    chunks = -(-path.stat().st_size // _CHUNK)
    with path.open("rb") as reader, target.open("wb") as writer:
        for chunk in progress(_chunks(reader), total=chunks, label=f"copy {path.name}, MiB"):
            writer.write(chunk)


def pack(
    path: Path, target: Path, members: Sequence[Member], *, shrink: int | None, progress: Progress
) -> None:
    """Pack images flat: stored, in the order of names, with one fixed time."""
    with ExitStack() as opened:
        packed = opened.enter_context(zipfile.ZipFile(target, "w", zipfile.ZIP_STORED))
        origin = opened.enter_context(zipfile.ZipFile(path)) if path.is_file() else None
        ordered = sorted(members, key=lambda member: member.flat)
        for member in progress(ordered, total=len(ordered), label=f"pack {path.name}"):
            try:
                data = origin.read(member.name) if origin else (path / member.name).read_bytes()
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
                raise UserError(
                    f"{path}: {member.name} is damaged ({error}); get the archive again"
                ) from None
            name = member.flat
            if shrink is not None:
                data, small = downscale(data, f"{path}: {member.name}", size=shrink), data
                name = name if data is small else Path(name).with_suffix(".png").name
            packed.writestr(reproducible_zipinfo(name), data)


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
        sha256: of the file, or its first digits; None: not checked.
        progress: shows how far it is.

    Returns:
        The SHA-256 of the file.

    Raises:
        UserError: it is no readable archive, its names are unsafe, its hash is another, or a
            member is damaged.
    """
    check_members(list_members(archive, where=where), where=where, files=files)
    digest = digest_of(archive)
    _check_hash(digest, sha256, where)
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


def _check_hash(digest: str, sha256: str | None, where: Path) -> None:
    if sha256 is not None and not digest.startswith(sha256):
        raise UserError(
            f"{where}: its SHA-256 is {digest}, expected {sha256}; "
            "it is damaged or another version: get it again"
        )


def _published(
    archive: Path, manifest: Path, members: Sequence[Member], wanted: Manifest
) -> Manifest | None:
    """The manifest of an earlier run, if its archive still holds just these members.

    Compared by names, sizes and checksums, where the images were not changed; the files of a
    folder have no checksum, so none may be younger than the archive.
    """
    try:
        published = Manifest(**json.loads(manifest.read_text(encoding="utf-8")))
        held = {Path(member.name).stem: member for member in list_members(archive)}
        written = archive.stat()
    except (OSError, ValueError, TypeError, UserError):
        return None  # not there, or of another version: made anew
    same = replace(published, bytes=0, sha256=wanted.sha256) == wanted
    if not same or not published.sha256.startswith(wanted.sha256):
        return None
    if {Path(m.name).stem for m in members} != held.keys() or written.st_size != published.bytes:
        return None
    for member in members:
        other = held[Path(member.name).stem]
        if wanted.shrink is None and member.bytes != other.bytes:
            return None
        if wanted.shrink is None and member.crc is not None and member.crc != other.crc:
            return None
        if member.modified is not None and member.modified > written.st_mtime:
            return None
    return published


def _chunks(reader: IO[bytes]) -> Iterator[bytes]:
    while chunk := reader.read(_CHUNK):
        yield chunk
