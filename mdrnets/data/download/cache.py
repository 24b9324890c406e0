"""Download the files of sources that have a URL, and verify them before they are used.

All profiles share one folder of downloads. Manually downloaded files go there too.
"""

import logging
import re
import zipfile
from pathlib import Path

import requests

from mdrnets.config.data import Source
from mdrnets.config.load import Config
from mdrnets.config.redaction import redact_urls
from mdrnets.data.download.disk_space import format_mib, require_space
from mdrnets.data.download.http import RefusedError, remove_resume_state, transfer
from mdrnets.data.progress import ProgressBar, no_progress_bar
from mdrnets.errors import UserError
from mdrnets.files import hash_file, write_text
from mdrnets.files.locks import exclusive_lock

DOWNLOADS = "downloads this file"
"""What the holder of a lock in the folder of downloads does."""

logger = logging.getLogger(__name__)


def require_licence(config: Config, name: str) -> None:
    """Check that the licence of a source is accepted, if the source has `terms`.

    Raises:
        UserError: it is not accepted.
    """
    source = config.profile.sources[name]
    if source.url and source.terms and source.terms not in config.profile.accepted_licences:
        key = config.locate(f"sources.{name}")
        raise UserError(
            f"{key}: its licence “{source.licence}” is not accepted; read "
            f"it, and if you accept it, add {source.terms} to `accepted_licences`"
        )


def download_verified(
    source: Source,
    folder: Path,
    *,
    from_folder: Path | None = None,
    progress: ProgressBar = no_progress_bar,
    pause: float = 1.0,
) -> Path:
    """Return the verified file of a source with a URL; download it if necessary.

    A lock ensures that processes that need the same file download it once.

    Args:
        source: a source with `url`.
        folder: the folder of downloads.
        from_folder: folder that contains the file already; None: use `folder`, and download.
        progress: counts MiB.
        pause: seconds before a second attempt.

    Raises:
        UserError: no URL gives the file, the disk is too small, or the file is not the expected
            one.
    """
    name = source.file_name
    path = (from_folder or folder) / name
    record = folder / f"{name}.sha256"
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive_lock(folder / f".{name}.lock", action=DOWNLOADS):
        if path.exists():
            if problem := _find_problem(path, source, record):
                raise UserError(f"{path}: {problem}; remove it, or download it again")
        elif from_folder is not None:
            raise UserError(
                f"{path}: file not found; download it from {redact_urls(source.url[0])}"
            )
        else:
            _download(path, source, record, progress, pause)
        if source.sha256 is None and source.md5 is None and not record.exists():
            digest = hash_file(path, "sha256")
            write_text(record, digest + "\n")
            logger.info(
                "%s: its publisher gives no hash; the SHA-256 of this first download, %s, was "
                "written to %s and will be compared with later downloads",
                name,
                digest,
                record,
            )
    return path


def _download(
    path: Path, source: Source, record: Path, progress: ProgressBar, pause: float
) -> None:
    """Try the URLs in their order."""
    part, corrupt = (path.with_name(path.name + suffix) for suffix in (".part", ".corrupt"))

    def announce(host: str, start: int, size: int | None) -> None:
        if size is None:
            logger.info("%s: downloading from %s, size unknown", path.name, host)
            return
        resumed = f", continuing after {format_mib(start)}" if start else ""
        logger.info("%s: downloading %s from %s%s", path.name, format_mib(size), host, resumed)
        # The file is later copied or packed into the run, so the disk must hold it twice.
        require_space(part, 2 * size - start)

    refusals = []
    with requests.Session() as session:
        for url in source.url:
            try:
                transfer(
                    url,
                    part,
                    size=source.bytes,
                    announce=announce,
                    progress=progress,
                    session=session,
                    pause=pause,
                )
            except RefusedError as refusal:
                refusals.append(f"{redact_urls(url)}: {refusal}")
                continue
            remove_resume_state(part)
            if problem := _find_problem(part, source, record):
                part.replace(corrupt)
                refusals.append(
                    f"{redact_urls(url)}: {problem}, so it was renamed to {corrupt.name}"
                )
                continue
            part.replace(path)
            return
    raise UserError(
        f"{path}: the download failed ({'; '.join(refusals)}); download it manually"
        f"{_describe_file(source)} and put it there, or pass its folder with --from-dir"
    )


def _find_problem(path: Path, source: Source, record: Path) -> str | None:
    """Why a file is not the expected one, or None."""
    if problem := _find_difference(path, source):
        return problem
    if source.md5 or source.sha256:
        return None
    if first := _read_record(record):
        if (digest := hash_file(path, "sha256")) != first:
            return (
                f"its SHA-256 is {digest}, that of the first download was {first} (if you trust "
                f"this one, remove {record})"
            )
    elif source.kind == "images" and not zipfile.is_zipfile(path):
        return "it is no zip archive, or its end is missing"
    return None


def _find_difference(path: Path, source: Source) -> str | None:
    """In which of the properties that the source gives a file differs, or None."""
    size = path.stat().st_size
    if source.bytes is not None and size != source.bytes:
        return f"it has {size:,} bytes, expected {source.bytes:,}"
    for kind, expected in (("md5", source.md5), ("sha256", source.sha256)):
        if expected and (digest := hash_file(path, kind)) != expected:
            return f"its {kind.upper()} is {digest}, expected {expected}"
    return None


def check_local(path: Path, source: Source) -> None:
    """Check size and MD5 of a local source; publishing it checks its SHA-256.

    Raises:
        UserError: it has another size or MD5, or is a folder, which has neither.
    """
    if path.is_dir():
        problem = "a folder has no `bytes` and no `md5`" if source.bytes or source.md5 else None
    else:
        problem = _find_difference(path, source.model_copy(update={"sha256": None}))
    if problem:
        raise UserError(f"{path}: {problem}; replace it, or correct the source in the profile")


def _read_record(record: Path) -> str | None:
    """The SHA-256 of the first download; None: there was none.

    Raises:
        UserError: the file that stores it contains something else.
    """
    if not record.exists():
        return None
    text = record.read_bytes().decode("utf-8", errors="replace").strip()
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise UserError(
            f"{record}: found {text[:80]!r}, expected the SHA-256 of the first download; restore "
            "it, or remove it if you trust the file that is downloaded next"
        )
    return text


def _describe_file(source: Source) -> str:
    """Size and hashes in parentheses, to recognise the file by."""
    properties = {
        "": f"{source.bytes:,} bytes" if source.bytes else None,
        "SHA-256 ": source.sha256,
        "MD5 ": source.md5,
    }
    text = ", ".join(f"{label}{value}" for label, value in properties.items() if value)
    return f" ({text})" if text else ""
