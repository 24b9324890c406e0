"""Copy a source into the run: a verified, flat archive of images, or one file, with a manifest.

The file is written under a temporary name, verified there, and then renamed, so that later stages
read what was verified.
"""

import json
import zipfile
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from mdrnets.config.load import expand
from mdrnets.data.bad_files import read_each
from mdrnets.data.download.disk_space import require_space
from mdrnets.data.download.members import (
    Member,
    check_members,
    list_members,
    open_files,
    select_images,
)
from mdrnets.data.number_lists import select_numbers
from mdrnets.data.progress import ProgressBar, no_progress_bar
from mdrnets.data.resizing import downscale_image, max_downscaled_bytes
from mdrnets.errors import UserError
from mdrnets.files import atomic_write, reproducible_zipinfo, write_text
from mdrnets.files import sha256 as hash_file
from mdrnets.files.archives import open_zip, read_member

_CHUNK = 2**20
REMEDY = "download it again"


@dataclass(frozen=True)
class Manifest:
    """Describes a published file; written beside it as JSON.

    Attributes:
        downscale: width and height to which larger images were scaled down; None: not scaled.
        original: SHA-256 of the archive from which images were selected; None: the archive was
            copied, or packed from a folder.
    """

    source: str
    licence: str
    files: int
    bytes: int
    sha256: str
    downscale: int | None = None
    original: str | None = None


def find_local_source(path: str | None, default: Path) -> Path:
    """Return the path of a local source: `path` with `$NAME` replaced, or `default` for None.

    Raises:
        UserError: the file or folder does not exist, or an environment variable is not set.
    """
    if path is None:
        if not default.exists():
            raise UserError(
                f"{default}: archive not found; give the source a `path`, or put the archive into "
                "samples/archives/, from which `snakemake` and `dvc repro data.dvc` copy it"
            )
        return default
    source = expand(path)
    if not source.exists():
        raise UserError(
            f"{source}: archive or folder not found; put it there, or correct `path` of the source "
            "in the profile"
        )
    return source


def publish_archive(
    path: Path,
    archive: Path,
    *,
    source: str,
    files: int | None,
    sha256: str | None,
    licence: str,
    folder: str | None = None,
    numbers: Collection[int] | None = None,
    downscale: int | None = None,
    progress: ProgressBar = no_progress_bar,
) -> Manifest:
    """Publish the archive or folder at `path` as `archive`, with a manifest beside it (`.json`).

    Args:
        path: a zip archive, or a folder, which is packed.
        archive: path of the published archive.
        source: name of the source, for the manifest.
        files: expected number of images; None: any number.
        sha256: hash of the file at `path`, or its first digits (for a folder: of the packed
            archive); None: not checked.
        licence: for the manifest.
        folder: pack only the images below this folder; None: the files are flat, use all.
        numbers: pack only the images whose names begin with one of them; requires `folder`.
        downscale: width and height to which larger images are scaled down; requires `folder`.
        progress: counts files, or MiB.

    Raises:
        UserError: the source is not as expected, or the disk is too small.
    """
    listed = list_members(path, recursive=folder is not None)
    if folder is not None:
        members = select_images(listed, folder, where=path)
        if numbers is not None:
            members = select_numbers(members, numbers, name=lambda m: m.flat, where=path)
    else:
        members = [member for member in listed if not member.is_ignored]
    must_pack = path.is_dir() or folder is not None or len(members) < len(listed)
    original = None
    if must_pack and path.is_file():
        original = hash_file(path)
        _check_hash(original, sha256, path)
        sha256 = None
    flat = [replace(member, name=member.flat) for member in members] if folder else members
    check_members(flat, where=path, files=files)

    size = _largest_size(members, downscale) if must_pack else path.stat().st_size
    require_space(archive, size)
    with atomic_write(archive) as temporary:
        if must_pack:
            _pack(path, temporary, members, downscale=downscale, progress=progress)
        else:
            _copy(path, temporary, progress=progress)
        digest = _verify(
            temporary, where=path, files=len(members), sha256=sha256, progress=progress
        )
        size = temporary.stat().st_size
    manifest = Manifest(source, licence, len(members), size, digest, downscale, original)
    _write_manifest(archive.with_suffix(".json"), manifest)
    return manifest


def _largest_size(members: Sequence[Member], downscale: int | None) -> int:
    """Bytes that packing may take."""
    if downscale is None:
        return sum(member.bytes for member in members)
    return max_downscaled_bytes(downscale) * len(members)


def publish_file(
    path: Path,
    target: Path,
    *,
    source: str,
    sha256: str | None,
    licence: str,
    progress: ProgressBar = no_progress_bar,
) -> Manifest:
    """Copy one file, such as a network's weights, with a manifest; see `publish_archive`.

    Raises:
        UserError: the file is a folder or has another hash, or the disk is too small.
    """
    if path.is_dir():
        raise UserError(f"{path}: found a folder, expected a file; add its name to `path`")
    digest = hash_file(path)
    _check_hash(digest, sha256, path)
    manifest = Manifest(source, licence, 1, path.stat().st_size, digest)
    if not (target.exists() and hash_file(target) == digest):
        require_space(target, manifest.bytes)
        with atomic_write(target) as temporary:
            _copy(path, temporary, progress=progress)
    _write_manifest(target.with_suffix(".json"), manifest)
    return manifest


def _write_manifest(path: Path, manifest: Manifest) -> None:
    write_text(path, json.dumps(asdict(manifest), indent=2) + "\n")


def _copy(path: Path, target: Path, *, progress: ProgressBar) -> None:
    count = -(-path.stat().st_size // _CHUNK)
    with path.open("rb") as reader, target.open("wb") as writer:
        chunks = iter(lambda: reader.read(_CHUNK), b"")
        for chunk in progress(chunks, total=count, label=f"copy {path.name}, MiB"):
            writer.write(chunk)


def _pack(
    path: Path,
    target: Path,
    members: Sequence[Member],
    *,
    downscale: int | None,
    progress: ProgressBar,
) -> None:
    """Pack images flat and uncompressed, sorted by name, with a constant time."""
    with (
        zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed,
        open_files(path, remedy=REMEDY) as read_file,
    ):

        def read(member: Member) -> tuple[str, bytes]:
            data = read_file(member.name)
            if downscale is None:
                return member.flat, data
            small = downscale_image(data, f"{path}: {member.name}", size=downscale)
            name = member.flat if small is data else Path(member.flat).with_suffix(".png").name
            return name, small

        ordered = sorted(members, key=lambda member: member.flat)
        shown = progress(ordered, total=len(ordered), label=f"pack {path.name}")
        for name, data in read_each(shown, read, where=path):
            packed.writestr(reproducible_zipinfo(name), data)


def _verify(
    archive: Path, *, where: Path, files: int, sha256: str | None, progress: ProgressBar
) -> str:
    """Read a written archive to its last byte and return its SHA-256.

    Args:
        archive: the file to read.
        where: the path that error messages name.
        files: expected number of files.
        sha256: hash of the file, or its first digits; None: not checked.
        progress: counts files.

    Raises:
        UserError: the archive is unreadable, has unsafe names, has another hash, or a member is
            damaged.
    """
    check_members(list_members(archive, where=where), where=where, files=files)
    digest = hash_file(archive)
    _check_hash(digest, sha256, where)
    with open_zip(archive, remedy=REMEDY, where=where) as opened:

        def check(name: str) -> None:
            read_member(opened, name, remedy=REMEDY, where=where)

        members = opened.namelist()
        shown = progress(members, total=len(members), label=f"check {where.name}")
        for _ in read_each(shown, check, where=where):
            pass
    return digest


def _check_hash(digest: str, sha256: str | None, where: Path) -> None:
    if sha256 is not None and not digest.startswith(sha256):
        raise UserError(
            f"{where}: its SHA-256 is {digest}, expected {sha256}; "
            "it is damaged or another version: download it again"
        )
