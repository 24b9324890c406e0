"""The files of sources that have an address: found, or fetched, and verified before they are used.

A file lies under its name in one folder for all profiles. Who gets it by hand puts it there.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from filelock import FileLock, Timeout

from mdrnets.config.data import Source
from mdrnets.config.load import Config
from mdrnets.data.download.disk_space import mib, require_space
from mdrnets.data.download.http import RefusedError, forget, transfer
from mdrnets.data.progress import Progress, silent
from mdrnets.errors import UserError
from mdrnets.files import write_text

Say = Callable[[str], None]


def require_licence(config: Config, name: str) -> None:
    """Check that the licence of a source is accepted, where it has terms.

    Raises:
        UserError: it is not; with the licence, and the key that accepts it.
    """
    source = config.profile.sources[name]
    if source.url and source.terms and source.terms not in config.profile.accepted_licences:
        raise UserError(
            f"{config.path}: sources.{name} has the licence “{source.licence}”; read it, and if "
            f"you accept it, add {source.terms} to `accepted_licences` there"
        )


def download_verified(
    source: Source,
    folder: Path,
    *,
    from_folder: Path | None = None,
    progress: Progress = silent,
    say: Say,
    pause: float = 1.0,
) -> Path:
    """The verified file of a source that has an address.

    Alone: a second process that needs the same file waits, and then finds it.

    Args:
        source: with `url`.
        folder: of downloads.
        from_folder: where the user has the file already; None: in `folder`, or nowhere yet.
        progress: shows how far it is, in MiB.
        say: told what is fetched, and how much disk that needs.
        pause: seconds before a second attempt.

    Raises:
        UserError: no address gives the file, the disk is too small, or it is another file.
    """
    name = source.file_name
    path = (from_folder or folder) / name
    record = folder / f"{name}.sha256"
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder / f".{name}.lock", say):
        if path.exists():
            if problem := _problem(path, source, record):
                raise UserError(f"{path}: {problem}; remove it, or get it again")
        elif from_folder is not None:
            raise UserError(f"{path}: there is no such file; get it from {source.url[0]}")
        else:
            _fetch(path, source, record, progress, say, pause)
        if source.sha256 is None and source.md5 is None and not record.exists():
            digest = _digest(path, "sha256")
            write_text(record, digest + "\n")
            say(
                f"{name}: its publisher gives no hash, so this first file is trusted: {record} "
                f"keeps its SHA-256, and later ones are compared with it ({digest})"
            )
    return path


def _fetch(
    path: Path, source: Source, record: Path, progress: Progress, say: Say, pause: float
) -> None:
    """Try the addresses in their order."""
    part, corrupt = (path.with_name(path.name + suffix) for suffix in (".part", ".corrupt"))

    def announce(host: str, start: int, size: int | None) -> None:
        if size is None:
            say(f"{path.name}: fetching from {host}, which does not say how many bytes")
            return
        here = f", of which {mib(start)} are here already" if start else ""
        say(f"{path.name}: fetching {mib(size)} from {host}{here}")
        # What is fetched is then copied, or packed anew, so the disk must hold it twice.
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
                refusals.append(f"{url}: {refusal}")
                continue
            forget(part)
            if problem := _problem(part, source, record):
                part.replace(corrupt)
                refusals.append(f"{url}: {problem}, so it was set aside as {corrupt.name}")
                continue
            part.replace(path)
            return
    raise UserError(
        f"{path} could not be fetched ({'; '.join(refusals)}); get it by hand{_described(source)} "
        "and put it there, or into any folder that you name with `--from-dir`; then run again"
    )


def _problem(path: Path, source: Source, record: Path) -> str | None:
    """Why a file is not the one that the source means."""
    size = path.stat().st_size
    if source.bytes is not None and size != source.bytes:
        return f"it is of {size:,} bytes, expected {source.bytes:,}"
    sha256 = source.sha256 or _recorded(record, source)
    for kind, wanted in (("md5", source.md5), ("sha256", sha256)):
        if wanted and not (found := _digest(path, kind)).startswith(wanted):
            return f"its {kind.upper()} is {found}, expected {wanted}"
    return None


def _recorded(record: Path, source: Source) -> str | None:
    """The SHA-256 of the first download, where the profile knows no hash."""
    if source.md5 or not record.exists():
        return None
    return record.read_text(encoding="utf-8").strip()


def _described(source: Source) -> str:
    known = {
        "": f"{source.bytes:,} bytes" if source.bytes else None,
        "SHA-256 ": source.sha256,
        "MD5 ": source.md5,
    }
    listed = ", ".join(f"{label}{value}" for label, value in known.items() if value)
    return f" ({listed})" if listed else ""


def _digest(path: Path, kind: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


@contextmanager
def alone(lock: Path, say: Say) -> Iterator[None]:
    """Hold a lock; say so where another process has it."""
    held = FileLock(lock)
    try:
        held.acquire(timeout=0)
    except Timeout:
        say(f"{lock}: another process fetches this file; waiting for it")
        held.acquire()
    try:
        yield
    finally:
        held.release()
