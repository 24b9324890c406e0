"""Download one file over HTTP, resuming an interrupted download.

An HTML page is never taken for the file. The caller checks the content of the file.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

import requests
import urllib3

from mdrnets.config.redaction import redact_urls
from mdrnets.data.download.html_pages import explain_page, is_html_page, read_confirmation_form
from mdrnets.data.progress import ProgressBar, no_progress_bar
from mdrnets.errors import UserError
from mdrnets.files import write_text
from mdrnets.files.text import read_json

ATTEMPTS = 6
"""Maximum number of consecutive attempts that receive no byte."""
MAX_PAUSE = 60.0
"""Seconds between two attempts, at most."""
TIMEOUT = (15, 60)
"""Seconds to connect, and between two bytes."""
RETRY_STATUS = (408, 429, 500, 502, 503, 504)
"""Status codes of temporary failures."""

_CHUNK = 2**20
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.ASCII)
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
        RefusedError: the file does not exist, the server sends an HTML page, a file of another
            size or contradictory headers, or all attempts failed.
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
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
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
        with _get(session, address, parameters, headers) as response:
            if response.status_code == 416 and start:  # no bytes after those of the partial file
                if start != _total_size(response):
                    part.unlink()
                    raise _TemporaryError("the file on the server has changed")
                return
            if response.status_code in RETRY_STATUS:
                raise _TemporaryError(f"the server answered {response.status_code}")
            content_type = response.headers.get("Content-Type", "")
            chunks = response.iter_content(_CHUNK)
            if not is_html_page(content_type, b""):
                _check_encoding(response)
            first = next(chunks, b"")
            if is_html_page(content_type, first):
                page = _read_page(first, chunks)
                form = read_confirmation_form(page, response.url)
                if form is None or confirmed:
                    raise RefusedError(explain_page(page, response.status_code))
                address, parameters = form
                continue
            if response.status_code not in (requests.codes.ok, requests.codes.partial_content):
                raise RefusedError(f"the server answered {response.status_code}")
            _write(response, chain([first], chunks), part, url, size, announce, progress)
            return


def _get(
    session: requests.Session,
    url: str,
    parameters: Sequence[tuple[str, str]] | None,
    headers: Mapping[str, str],
) -> requests.Response:
    try:
        return session.get(url, params=parameters, headers=headers, stream=True, timeout=TIMEOUT)
    except ValueError:  # of requests, urllib or a codec: a redirect can have any target
        raise RefusedError("it is, or redirects to, something other than an http(s) URL") from None


def _write(
    response: requests.Response,
    chunks: Iterator[bytes],
    part: Path,
    url: str,
    size: int | None,
    announce: Announce,
    progress: ProgressBar,
) -> None:
    start, total = _read_extent(response, part)
    if size is not None and total is not None and total != size:
        raise RefusedError(f"the file on the server has {total:,} bytes, expected {size:,}")
    announce(urlsplit(response.url).hostname or "", start, total or size)

    part.parent.mkdir(parents=True, exist_ok=True)
    _save_resume_state(part, url, response)
    count = -(-(total - start) // _CHUNK) if total is not None else 0
    received, expected = start, total if total is not None else size
    with part.open("ab" if start else "wb") as file:
        for chunk in progress(chunks, total=count, label=f"{part.stem}, MiB"):
            received += len(chunk)
            if expected is not None and received > expected:
                break  # an endless response must not fill the disk
            file.write(chunk)
    if expected is not None and received < expected:
        raise _TemporaryError(f"the connection ended at {received:,} of {expected:,} bytes")
    if expected is not None and received > expected:
        part.unlink()
        raise RefusedError(f"the server sent at least {received:,} bytes, expected {expected:,}")


def _read_page(first: bytes, chunks: Iterator[bytes]) -> str:
    text = first
    while len(text) < _MAX_PAGE and (chunk := next(chunks, b"")):
        text += chunk
    return text.decode("utf-8", errors="replace")


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _check_encoding(response: requests.Response) -> None:
    """Refuse a compressed response: its length is not that of the file, nor can it be resumed."""
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding != "identity":
        raise RefusedError(f"the server sent Content-Encoding {encoding[:20]!r}, expected none")


def _read_extent(response: requests.Response, part: Path) -> tuple[int, int | None]:
    """Position of the response's first byte, and size of the whole file if the server reports it.

    Raises:
        RefusedError: the headers contradict each other, or the server sends an unrequested part.
        _TemporaryError: it sends another part than requested; `part` is removed.
    """
    length = _content_length(response)
    if response.status_code == requests.codes.ok:
        return 0, length
    start = _size(part)
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if match and int(match[1]) == start and length in (None, int(match[2]) + 1 - start):
        end = int(match[2]) + 1
        if match[3] == str(end) or (match[3] == "*" and start):
            return start, end
    if not start:
        raise RefusedError("the server sent a part of the file (206), which was not requested")
    part.unlink()
    raise _TemporaryError("the server sent another range than requested")


def _content_length(response: requests.Response) -> int | None:
    text = response.headers.get("Content-Length")
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
        raise RefusedError(f"the server sent Content-Length {text[:40]!r}, expected a number")
    return int(text)


def _total_size(response: requests.Response) -> int:
    match = re.search(r"/(\d{1,18})$", response.headers.get("Content-Range", ""), re.ASCII)
    return int(match[1]) if match else -1


def _describe(error: Exception) -> str:
    """A part of a sentence; the libraries' own texts contain the URL, and the secrets in it."""
    for types, text in (
        (requests.Timeout, "the server does not answer in time"),
        (requests.ConnectionError, "the connection failed"),
        (requests.TooManyRedirects, "the server redirects in circles"),
        (requests.exceptions.ContentDecodingError, "the server sent a damaged compressed page"),
        (urllib3.exceptions.InvalidHeader, "the server sent contradictory headers"),
    ):
        if isinstance(error, types):
            return text
    return str(error) if isinstance(error, _TemporaryError) else type(error).__name__


# -- resume state: the version of the file that a partial file belongs to ----------------------


def remove_resume_state(part: Path) -> None:
    """Remove the file next to `part` that stores the version of the file on the server."""
    _resume_state_path(part).unlink(missing_ok=True)


def _resume_state_path(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _save_resume_state(part: Path, url: str, response: requests.Response) -> None:
    """Store the version that the server reports: a strong ETag, or the time of modification."""
    tag = response.headers.get("ETag", "")
    version = tag if tag.startswith('"') else response.headers.get("Last-Modified")
    state = {"url": redact_urls(url), "version": version}
    write_text(_resume_state_path(part), json.dumps(state) + "\n")


def _if_range_header(part: Path, url: str) -> dict[str, str]:
    """The header that makes the server send the whole file if its version has changed."""
    try:
        state = read_json(_resume_state_path(part), remedy="download the file again")
    except UserError:
        return {}
    known = isinstance(state, dict) and state.get("url") == redact_urls(url)
    return {"If-Range": state["version"]} if known and _is_header(state.get("version")) else {}


def _is_header(value: object) -> bool:
    """Whether a value can be sent as a header; the file that it was read from may be damaged."""
    return isinstance(value, str) and re.fullmatch("[!-~][ -~]*", value) is not None
