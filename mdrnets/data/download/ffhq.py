"""FFHQ, image by image: its metadata lists the address, size and MD5 of each of the 70,000.

https://github.com/NVlabs/ffhq-dataset. An image that is there is not fetched again, so that a
download of 89 GB, which Google Drive cuts by quota, goes on another day.
"""

import hashlib
import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from mdrnets.data.download.cache import Say, alone
from mdrnets.data.download.disk_space import mib, require_space
from mdrnets.data.download.http import RefusedError, forget, transfer
from mdrnets.data.progress import Progress, silent
from mdrnets.data.resizing import downscale
from mdrnets.errors import UserError
from mdrnets.files import atomic_write

WORKERS = 4
"""Connections at once: more of them only spend Google Drive's quota sooner."""
_KEPT = ("file_url", "file_path", "file_size", "file_md5")


@dataclass(frozen=True)
class Listed:
    """An image of the list.

    Attributes:
        name: of its file, as `00000.png`.
    """

    name: str
    url: str
    bytes: int
    md5: str


def read_metadata(path: Path) -> list[Listed]:
    """The aligned images of `ffhq-dataset-v2.json`, by name.

    Raises:
        UserError: it is no such list.
    """
    try:
        # Without its hundreds of landmarks a face, the list is a fortieth of the file.
        entries = json.loads(path.read_bytes(), object_hook=_without_landmarks)
        listed = [
            Listed(
                name=Path(image["file_path"]).name,
                url=image["file_url"],
                bytes=image["file_size"],
                md5=image["file_md5"],
            )
            for image in (entry["image"] for entry in entries.values())
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path}: not FFHQ's metadata, which lists images ({error!r}); get it again"
        ) from None
    return sorted(listed, key=lambda image: image.name)


def _without_landmarks(values: dict[str, Any]) -> dict[str, Any]:
    if "image" in values:
        return {"image": values["image"]}
    return {key: values[key] for key in _KEPT} if "file_url" in values else values


def fetch_images(
    listed: Sequence[Listed],
    folder: Path,
    *,
    shrink: int | None,
    progress: Progress = silent,
    say: Say,
    pause: float = 1.0,
) -> None:
    """Fetch the images that are not there yet, check each against its MD5, and scale it down.

    Args:
        listed: all images.
        folder: where they go, by name.
        shrink: pixels of the scaled image; None: the file as it comes.
        progress: shows how far it is, in images.
        say: told how many bytes are fetched, and how much disk that needs.
        pause: seconds before a second attempt at an image.

    Raises:
        UserError: the disk is too small, or an image cannot be had; those before it stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder.with_name(f".{folder.name}.lock"), say):
        present = {path.name for path in folder.iterdir()}
        missing = [image for image in listed if image.name not in present]
        if not missing:
            return
        size = mib(sum(image.bytes for image in missing))
        # What is fetched is then packed into an archive, with what is there.
        disk = sum(_stored(image, shrink) for image in (*missing, *listed))
        say(
            f"{folder}: fetching {len(missing):,} of {len(listed):,} images, {size}; they and "
            f"their archive need up to {mib(disk)} of disk"
        )
        require_space(folder / missing[0].name, disk)
        _fetch_all(missing, folder, shrink=shrink, progress=progress, pause=pause)


def _stored(image: Listed, shrink: int | None) -> int:
    """Bytes on disk, at most: PNG packs a photograph to less than its pixels."""
    return image.bytes if shrink is None else min(image.bytes, 3 * shrink**2)


def _fetch_all(
    missing: Sequence[Listed],
    folder: Path,
    *,
    shrink: int | None,
    progress: Progress,
    pause: float,
) -> None:
    """Some at once; after the first that fails, no other is begun."""
    own = threading.local()

    def fetch(image: Listed) -> None:
        if not hasattr(own, "session"):
            own.session = requests.Session()
        _fetch_one(image, folder / image.name, shrink=shrink, session=own.session, pause=pause)

    with ThreadPoolExecutor(WORKERS) as pool:
        try:
            results = pool.map(fetch, missing)
            for _ in progress(results, total=len(missing), label="fetch images"):
                pass
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _fetch_one(
    image: Listed, path: Path, *, shrink: int | None, session: requests.Session, pause: float
) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        transfer(
            image.url,
            part,
            size=image.bytes,
            announce=lambda host, start, size: None,
            session=session,
            pause=pause,
        )
    except RefusedError as refusal:
        raise UserError(
            f"{image.name} of FFHQ could not be fetched ({image.url}: {refusal}); what is there "
            "stays: run again later, or give a folder of the images as `path` of the source"
        ) from None
    data = part.read_bytes()
    part.unlink()
    forget(part)
    if (found := hashlib.md5(data).hexdigest()) != image.md5:
        raise UserError(
            f"{image.name} of FFHQ ({image.url}) has the MD5 {found}, expected {image.md5}; "
            "run again"
        )
    with atomic_write(path) as temporary:
        temporary.write_bytes(downscale(data, str(path), size=shrink) if shrink else data)
