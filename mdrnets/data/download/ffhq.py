"""Download FFHQ image by image: its metadata lists URL, size and MD5 of each of the 70,000 images.

https://github.com/NVlabs/ffhq-dataset. Images that exist are not downloaded again, so that the
download of 89 GB, which Google Drive interrupts by a quota, can be continued on another day.
"""

import hashlib
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import requests

from mdrnets.config.redaction import redact_urls
from mdrnets.data.download.cache import DOWNLOADS
from mdrnets.data.download.disk_space import format_mib, require_space
from mdrnets.data.download.http import RefusedError, remove_resume_state, transfer
from mdrnets.data.progress import ProgressBar, no_progress_bar
from mdrnets.data.resizing import downscale_image, max_downscaled_bytes
from mdrnets.errors import UserError
from mdrnets.files import atomic_write
from mdrnets.files.locks import exclusive_lock
from mdrnets.files.text import read_json_as

logger = logging.getLogger(__name__)

WORKERS = 4
"""Simultaneous connections; more of them only use up Google Drive's quota sooner."""


@dataclass(frozen=True)
class FfhqImage:
    """An image of the metadata.

    Attributes:
        name: file name, for example `00000.png`.
    """

    name: str
    url: str
    bytes: int
    md5: str


def read_metadata(path: Path) -> list[FfhqImage]:
    """Return the aligned images that `ffhq-dataset-v2.json` lists, sorted by name.

    Raises:
        UserError: the file has another content.
    """
    remedy = "download the metadata of FFHQ again"
    # Dropping the hundreds of landmarks of each face needs a fortieth of the memory.
    entries = read_json_as(dict[int, _Entry], path, remedy=remedy, object_hook=_drop_landmarks)
    images = []
    for number, entry in entries.items():
        image = entry.image
        name = Path(image.file_path).name
        if Path(name).stem != f"{number:05}":
            raise UserError(f"{path}: number {number} is the file {name!r}; remove it and {remedy}")
        images.append(FfhqImage(name, image.file_url, image.file_size, image.file_md5))
    return sorted(images, key=lambda image: image.name)


@dataclass(frozen=True)
class _Image:
    """The keys of an image that are used."""

    file_url: str
    file_path: str
    file_size: int
    file_md5: str


@dataclass(frozen=True)
class _Entry:
    """The metadata of one number."""

    image: _Image


def _drop_landmarks(values: dict[str, Any]) -> dict[str, Any]:
    used = {field.name for kind in (_Entry, _Image) for field in fields(kind)}
    kept = {key: value for key, value in values.items() if key in used}
    return kept or values


def download_images(
    images: Sequence[FfhqImage],
    folder: Path,
    *,
    downscale: int | None,
    progress: ProgressBar = no_progress_bar,
    pause: float = 1.0,
) -> None:
    """Download the images that are missing in `folder`, check their MD5 and scale them down.

    Args:
        images: all images.
        folder: where the images are written, by name.
        downscale: width and height of the written images; None: write the original files.
        progress: counts images.
        pause: seconds before a second attempt at an image.

    Raises:
        UserError: the disk is too small, or an image cannot be downloaded. Images that are
            already downloaded are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive_lock(folder.with_name(f".{folder.name}.lock"), action=DOWNLOADS):
        present = {path.name for path in folder.iterdir()}
        missing = [image for image in images if image.name not in present]
        if not missing:
            return
        # The images are later packed into an archive together with those that are present.
        disk = sum(_max_stored_bytes(image, downscale) for image in (*missing, *images))
        logger.info(
            "%s: downloading %s of %s images, %s; images and archive need up to %s of disk",
            folder,
            f"{len(missing):,}",
            f"{len(images):,}",
            format_mib(sum(image.bytes for image in missing)),
            format_mib(disk),
        )
        require_space(folder / missing[0].name, disk)
        _download_all(missing, folder, downscale=downscale, progress=progress, pause=pause)


def _max_stored_bytes(image: FfhqImage, downscale: int | None) -> int:
    """Upper bound of the size on disk."""
    return image.bytes if downscale is None else min(image.bytes, max_downscaled_bytes(downscale))


def _download_all(
    missing: Sequence[FfhqImage],
    folder: Path,
    *,
    downscale: int | None,
    progress: ProgressBar,
    pause: float,
) -> None:
    """Download several images at once; after a failure, no further download is started."""
    local = threading.local()

    def download(image: FfhqImage) -> None:
        if not hasattr(local, "session"):
            local.session = requests.Session()
        path = folder / image.name
        _download_one(image, path, downscale=downscale, session=local.session, pause=pause)

    with ThreadPoolExecutor(WORKERS) as pool:
        try:
            results = pool.map(download, missing)
            for _ in progress(results, total=len(missing), label="download images"):
                pass
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _download_one(
    image: FfhqImage,
    path: Path,
    *,
    downscale: int | None,
    session: requests.Session,
    pause: float,
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
            f"{path}: the download from {redact_urls(image.url)} failed ({refusal}); run again "
            "later to continue, or set `path` of the source to a folder of the images"
        ) from None
    data = part.read_bytes()
    part.unlink()
    remove_resume_state(part)
    if (digest := hashlib.md5(data).hexdigest()) != image.md5:
        raise UserError(
            f"{path}: the MD5 of {redact_urls(image.url)} is {digest}, expected {image.md5}; run "
            "again"
        )
    with atomic_write(path) as temporary:
        temporary.write_bytes(
            downscale_image(data, str(path), size=downscale) if downscale else data
        )
