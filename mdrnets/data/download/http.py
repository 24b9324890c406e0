"""Download one file over HTTP, resuming an interrupted download.

An HTML page is never taken for the file. The caller checks the content of the file.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

import requests

from mdrnets.data.download.html_pages import explain_page, is_html_page, read_confirmation_form
from mdrnets.data.progress import ProgressBar, no_progress_bar
from mdrnets.files import write_text

ATTEMPTS = 6
"""Maximum number of consecutive attempts that receive no byte."""
MAX_PAUSE = 60.0
"""Seconds between two attempts, at most."""
TIMEOUT = (15, 60)
"""Seconds to connect, and between two bytes."""
RETRY_STATUS = (408, 429, 500, 502, 503, 504)
"""Status codes of temporary failures."""

_CHUNK = 2**20
_MAX_PAGE = 2**20
"""Bytes of an HTML page that are read."""

Announce = Callable[[str, int, int | None], None]
"""Called with host, first byte and size of the file before bytes are written; it may raise."""


class RefusedError(Exception):
    """A URL does not give the file. The message is a part of a sentence."""


class _TemporaryError(Exception):
    """Another attempt may succeed."""


def transfer(
    url: str,
    part: Path,
    *,
    size: int | None,
    announce: Announce,
    progress: ProgressBar = no_progress_bar,
    session: requests.Session,
    pause: float = 1.0,
) -> None:
    """Download a file, continuing after the bytes that `part` has already.

    Redirects are followed, and Google Drive's form for large files is confirmed.

    Args:
        url: URL of the file.
        part: path of the partial file.
        size: expected size in bytes; None: the size that the server reports.
        announce: see `Announce`.
        progress: counts MiB.
        session: the HTTP session.
        pause: seconds before the second attempt; doubled before each further attempt.

    Raises:
        RefusedError: the file does not exist, the server sends an HTML page or a file of another
            size, or all attempts failed.
    """
    failures = 0
    while True:
        size_before = _size(part)
        try:
            _attempt(session, url, part, size, announce, progress)
            return
        except (requests.ConnectionError, requests.Timeout, _TemporaryError) as error:
            reason = _describe(error)
        except requests.exceptions.ChunkedEncodingError:
            reason = "the connection was interrupted"
        except requests.RequestException as error:
            raise RefusedError(_describe(error)) from None
        failures = 1 if _size(part) > size_before else failures + 1
        if failures == ATTEMPTS:
            raise RefusedError(f"{reason}, {ATTEMPTS} times in a row")
        time.sleep(min(MAX_PAUSE, pause * 2 ** (failures - 1)))


def _attempt(
    session: requests.Session,
    url: str,
    part: Path,
    size: int | None,
    announce: Announce,
    progress: ProgressBar,
) -> None:
    """Send one request, or two if a form must be confirmed."""
    start = _size(part)
    if size is not None and start == size:
        return
    headers = {"Accept-Encoding": "identity"}  # the bytes of the file, not compressed
    if start:
        headers |= {"Range": f"bytes={start}-"} | _if_range_header(part, url)
    address, parameters = url, None
    for confirmed in (False, True):
        with session.get(
            address, params=parameters, headers=headers, stream=True, timeout=TIMEOUT
        ) as response:
            if response.status_code == 416:  # no bytes after those of the partial file
                if start != _total_size(response):
                    part.unlink()
                    raise _TemporaryError("the file on the server has changed")
                return
            if response.status_code in RETRY_STATUS:
                raise _TemporaryError(f"the server answered {response.status_code}")
            chunks = response.iter_content(_CHUNK)
            first = next(chunks, b"")
            if is_html_page(response.headers.get("Content-Type", ""), first):
                page = _read_page(first, chunks)
                form = read_confirmation_form(page, response.url)
                if form is None or confirmed:
                    raise RefusedError(explain_page(page, response.status_code))
                address, parameters = form
                continue
            if not response.ok:
                raise RefusedError(f"the server answered {response.status_code} {response.reason}")
            _write(response, chain([first], chunks), part, url, size, announce, progress)
            return


def _write(
    response: requests.Response,
    chunks: Iterator[bytes],
    part: Path,
    url: str,
    size: int | None,
    announce: Announce,
    progress: ProgressBar,
) -> None:
    start = _first_byte(response)
    if start != (_size(part) if start else 0):
        part.unlink()
        raise _TemporaryError("the server sent another range than requested")
    length = response.headers.get("Content-Length")
    total = start + int(length) if length is not None else None
    if size is not None and total is not None and total != size:
        raise RefusedError(f"the file on the server has {total:,} bytes, expected {size:,}")
    announce(urlsplit(response.url).hostname or "", start, total or size)

    part.parent.mkdir(parents=True, exist_ok=True)
    _save_resume_state(part, url, response)
    count = -(-(total - start) // _CHUNK) if total is not None else 0
    with part.open("ab" if start else "wb") as file:
        for chunk in progress(chunks, total=count, label=f"{part.stem}, MiB"):
            file.write(chunk)
    received = _size(part)
    expected = total if total is not None else size
    if expected is not None and received < expected:
        raise _TemporaryError(f"the connection ended at {received:,} of {expected:,} bytes")
    if size is not None and received > size:
        part.unlink()
        raise RefusedError(f"the server sent {received:,} bytes, expected {size:,}")


def _read_page(first: bytes, chunks: Iterator[bytes]) -> str:
    text = first
    while len(text) < _MAX_PAGE and (chunk := next(chunks, b"")):
        text += chunk
    return text.decode("utf-8", errors="replace")


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _first_byte(response: requests.Response) -> int:
    """Position of the first byte of the response; 0 if the server sends the whole file."""
    if response.status_code != requests.codes.partial_content:
        return 0
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else -1


def _total_size(response: requests.Response) -> int:
    match = re.search(r"/(\d+)$", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else -1


def _describe(error: Exception) -> str:
    if isinstance(error, requests.Timeout):
        return "the server does not answer in time"
    if isinstance(error, requests.ConnectionError):
        return "the connection failed"
    return str(error)


# -- resume state: the version of the file that a partial file belongs to ----------------------


def remove_resume_state(part: Path) -> None:
    """Remove the file beside `part` that stores the version of the file on the server."""
    _resume_state_path(part).unlink(missing_ok=True)


def _resume_state_path(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _save_resume_state(part: Path, url: str, response: requests.Response) -> None:
    """Store the version that the server reports: a strong ETag, or the time of modification."""
    tag = response.headers.get("ETag", "")
    version = tag if tag.startswith('"') else response.headers.get("Last-Modified")
    write_text(_resume_state_path(part), json.dumps({"url": url, "version": version}) + "\n")


def _if_range_header(part: Path, url: str) -> dict[str, str]:
    """The header that makes the server send the whole file if its version has changed."""
    try:
        state = json.loads(_resume_state_path(part).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {"If-Range": state["version"]} if state["url"] == url and state["version"] else {}
