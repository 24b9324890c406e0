"""One file over HTTP: resumed where it broke off, and never a web page taken for a file.

Whether what arrived is the right file, the caller checks.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import requests

from mdrnets.data.download.html_pages import confirmation, explained, is_page
from mdrnets.data.progress import Progress, silent
from mdrnets.files import write_text

ATTEMPTS = 6
"""In a row without a byte; a connection that breaks again and again, but advances, may go on."""
LONGEST_PAUSE = 60.0
TIMEOUT = (15, 60)
"""Seconds to connect, and between two bytes."""
PASSING = (408, 429, 500, 502, 503, 504)
"""Answers that may be another one soon."""

_CHUNK = 2**20
_PAGE = 2**20  # bytes of a web page that are looked at

Announce = Callable[[str, int, int | None], None]
"""Told the host, the first byte to come and the file's size, before bytes are written."""


class RefusedError(Exception):
    """An address does not give the file; the rest of a sentence says why."""


class _PassingError(Exception):
    """Another attempt may succeed."""


def transfer(
    url: str,
    part: Path,
    *,
    size: int | None,
    announce: Announce,
    progress: Progress = silent,
    session: requests.Session,
    pause: float = 1.0,
) -> None:
    """Fetch a file, going on with the bytes that are there already.

    Args:
        url: of the file. Redirections, and the form by which Google Drive asks whether a large
            file shall be downloaded unscanned, are followed.
        part: where the bytes go.
        size: that the file must have; None: as the server says.
        announce: see `Announce`; it may raise.
        progress: shows how far it is, in MiB.
        session: whose connections are used.
        pause: seconds before the second attempt; doubled before each one after.

    Raises:
        RefusedError: no such file, a web page, another size, or no connection after some attempts.
    """
    failures = 0
    while True:
        before = _length(part)
        try:
            _attempt(session, url, part, size, announce, progress)
            return
        except (requests.ConnectionError, requests.Timeout, _PassingError) as error:
            reason = _reason(error)
        except requests.exceptions.ChunkedEncodingError:
            reason = "the connection broke off"
        except requests.RequestException as error:
            raise RefusedError(_reason(error)) from None
        failures = 1 if _length(part) > before else failures + 1
        if failures == ATTEMPTS:
            raise RefusedError(f"{reason}, {ATTEMPTS} times in a row")
        time.sleep(min(LONGEST_PAUSE, pause * 2 ** (failures - 1)))


def _attempt(
    session: requests.Session,
    url: str,
    part: Path,
    size: int | None,
    announce: Announce,
    progress: Progress,
) -> None:
    """One request, or two where a form must be confirmed."""
    have = _length(part)
    if size is not None and have == size:
        return
    headers = {"Accept-Encoding": "identity"}  # the file's own bytes
    if have:
        headers |= {"Range": f"bytes={have}-"} | _condition(part, url)
    address, parameters = url, None
    for confirmed in (False, True):
        with session.get(
            address, params=parameters, headers=headers, stream=True, timeout=TIMEOUT
        ) as response:
            if response.status_code == 416:  # nothing beyond what is there
                if have != _total(response):
                    part.unlink()
                    raise _PassingError("the file on the server is another one now")
                return
            if response.status_code in PASSING:
                raise _PassingError(f"the server answers {response.status_code}")
            chunks = response.iter_content(_CHUNK)
            first = next(chunks, b"")
            if is_page(response.headers.get("Content-Type", ""), first):
                page = _text(first, chunks)
                form = confirmation(page, response.url)
                if form is None or confirmed:
                    raise RefusedError(explained(page, response.status_code))
                address, parameters = form
                continue
            if not response.ok:
                raise RefusedError(f"the server answers {response.status_code} {response.reason}")
            _write(response, first, chunks, part, url, size, announce, progress)
            return


def _write(
    response: requests.Response,
    first: bytes,
    chunks: Iterator[bytes],
    part: Path,
    url: str,
    size: int | None,
    announce: Announce,
    progress: Progress,
) -> None:
    start = _start(response)
    if start != (_length(part) if start else 0):
        part.unlink()
        raise _PassingError("the server gives another range than asked for")
    length = response.headers.get("Content-Length")
    total = start + int(length) if length is not None else None
    if size is not None and total is not None and total != size:
        raise RefusedError(f"it is of {total:,} bytes there, expected {size:,}")
    announce(urlsplit(response.url).hostname or "", start, total or size)

    part.parent.mkdir(parents=True, exist_ok=True)
    _remember(part, url, response)
    count = -(-(total - start) // _CHUNK) if total is not None else 0
    with part.open("ab" if start else "wb") as file:
        for chunk in progress(_both(first, chunks), total=count, label=f"{part.stem}, MiB"):
            file.write(chunk)
    have = _length(part)
    wanted = total if total is not None else size
    if wanted is not None and have < wanted:
        raise _PassingError(f"the connection ended at {have:,} of {wanted:,} bytes")
    if size is not None and have > size:
        part.unlink()
        raise RefusedError(f"it gave {have:,} bytes, expected {size:,}")


def _text(first: bytes, chunks: Iterator[bytes]) -> str:
    """A page, up to a length that none has."""
    text = first
    while len(text) < _PAGE and (chunk := next(chunks, b"")):
        text += chunk
    return text.decode("utf-8", errors="replace")


def _both(first: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from chunks


def _length(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _start(response: requests.Response) -> int:
    """The first byte of the answer; 0 where the server sends the whole file."""
    if response.status_code != requests.codes.partial_content:
        return 0
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(found[1]) if found else -1


def _total(response: requests.Response) -> int:
    found = re.search(r"/(\d+)$", response.headers.get("Content-Range", ""))
    return int(found[1]) if found else -1


# -- which version of the file a part is of ----------------------------------------------------


def forget(part: Path) -> None:
    """Remove what is known of a part."""
    _note(part).unlink(missing_ok=True)


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _remember(part: Path, url: str, response: requests.Response) -> None:
    """The file's version, as the server names it: a strong tag, or its time."""
    tag = response.headers.get("ETag", "")
    version = tag if tag.startswith('"') else response.headers.get("Last-Modified")
    write_text(_note(part), json.dumps({"url": url, "version": version}) + "\n")


def _condition(part: Path, url: str) -> dict[str, str]:
    """The header by which the server sends all of the file if it is another version now."""
    try:
        note = json.loads(_note(part).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {"If-Range": note["version"]} if note["url"] == url and note["version"] else {}


def _reason(error: Exception) -> str:
    if isinstance(error, requests.Timeout):
        return "the server does not answer in time"
    if isinstance(error, requests.ConnectionError):
        return "there is no connection"
    return str(error)
