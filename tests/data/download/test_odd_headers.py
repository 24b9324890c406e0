"""Servers with wrong or unusual headers: a reason or the whole file, never a traceback."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from mdrnets.data.download import http
from mdrnets.data.download.http import RefusedError, transfer
from tests.helpers.server import File, Handler, Route, Server, in_turn, redirect, serving

DATA = b"PK" + bytes(range(256)) * 4
LENGTH = len(DATA)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(http, "_CHUNK", 100)
    with serving() as server:
        yield server


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "faces.zip.part"


@pytest.fixture
def download(server: Server, part: Path) -> Callable[..., None]:
    def run(route: Route, *, size: int | None = None) -> None:
        server.routes["/file"] = route
        with requests.Session() as session:
            transfer(
                server.url("/file"),
                part,
                size=size,
                announce=lambda *_: None,
                session=session,
                pause=0,
            )

    return run


def answer(*headers: tuple[str, str], status: int = 200, body: bytes = DATA) -> Route:
    """An answer with exactly these headers; the connection is closed after it."""

    def route(handler: Handler) -> None:
        handler.send_response_only(status)
        for name, value in headers:
            handler.send_header(name, value)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(body)

    return route


def part_of(text: str, **changes: object) -> Route:
    length = ("Content-Length", str(LENGTH))
    return answer(length, ("Content-Range", text), status=206, **changes)  # type: ignore[arg-type]


GZIPPED = gzip.compress(DATA)


@pytest.mark.parametrize(
    "route",
    [
        pytest.param(answer(("Content-Length", "many")), id="length-no-number"),
        pytest.param(answer(("Content-Length", "-5")), id="length-negative"),
        pytest.param(answer(("Content-Length", "1e3")), id="length-float"),
        pytest.param(answer(("Content-Length", "9" * 5000)), id="length-huge"),
        pytest.param(
            answer(("Content-Length", "5"), ("Content-Length", "6")), id="lengths-that-differ"
        ),
        pytest.param(part_of(f"bytes 5-{LENGTH + 4}/{LENGTH + 5}"), id="unasked-end"),
        pytest.param(part_of(f"bytes 0-{LENGTH - 1}/{2 * LENGTH}"), id="unasked-start"),
        pytest.param(part_of(f"bytes 0-{LENGTH - 1}/*"), id="unasked-unknown"),
        pytest.param(part_of("bytes x-y/z"), id="range-no-number"),
        pytest.param(part_of(f"bytes 0-{'9' * 5000}/{'9' * 5000}"), id="range-huge"),
        pytest.param(part_of(f"bytes 0-{LENGTH + 9}/{LENGTH + 10}"), id="range-unlike-length"),
        pytest.param(answer(("Content-Length", "0"), status=206, body=b""), id="range-missing"),
        pytest.param(answer(("Content-Length", "0"), status=416, body=b""), id="416-unasked"),
        pytest.param(answer(status=204, body=b""), id="no-content"),
        pytest.param(answer(("Content-Length", "0"), status=302, body=b""), id="302-to-nowhere"),
        pytest.param(
            answer(
                ("Content-Encoding", "gzip"),
                ("Content-Length", str(len(GZIPPED))),
                body=GZIPPED,
            ),
            id="gzip",
        ),
        pytest.param(
            answer(("Content-Encoding", "gzip"), ("Content-Length", str(LENGTH))), id="no-gzip"
        ),
        pytest.param(
            answer(
                ("Content-Encoding", "gzip"),
                ("Content-Type", "text/html"),
                ("Content-Length", str(LENGTH)),
            ),
            id="page-no-gzip",
        ),
        pytest.param(redirect("file:///etc/passwd"), id="redirect-to-a-local-file"),
        pytest.param(redirect("ftp://127.0.0.1/file"), id="redirect-to-ftp"),
        pytest.param(redirect("http://[half/file"), id="redirect-to-half-an-address"),
        pytest.param(redirect("http://.../file"), id="redirect-to-dots"),
        pytest.param(redirect("/file"), id="redirect-in-circles"),
    ],
)
def test_odd_headers_are_refused_with_a_reason(
    download: Callable[..., None], part: Path, route: Route
) -> None:
    with pytest.raises(RefusedError):
        download(route)
    assert not part.exists()


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="no-length"),
        pytest.param([("Transfer-Encoding", "chunked"), ("Content-Length", "100")], id="chunked"),
    ],
)
def test_a_response_that_is_too_long_is_cut_off(
    server: Server, part: Path, download: Callable[..., None], headers: list[tuple[str, str]]
) -> None:
    chunk = b"64\r\n" + b"x" * 100 + b"\r\n" if headers else b"x" * 100
    count = 0

    def endless(handler: Handler) -> None:
        nonlocal count
        answer(*headers, body=b"")(handler)
        try:
            while count < 10**9:
                count += handler.wfile.write(chunk)
        except OSError:  # the client went away
            pass

    with pytest.raises(RefusedError, match="100"):
        download(endless, size=100)
    assert not part.exists()
    assert count < 10**8


def test_a_whole_file_as_its_first_and_last_part_is_taken(
    part: Path, download: Callable[..., None]
) -> None:
    download(part_of(f"bytes 0-{LENGTH - 1}/{LENGTH}"))
    assert part.read_bytes() == DATA


@pytest.mark.parametrize(
    "route",
    [
        part_of("bytes x-y/z"),
        part_of(f"bytes 0-{LENGTH - 1}/{LENGTH}"),
        part_of(f"bytes 10-{LENGTH + 9}/{LENGTH + 10}"),
        answer(("Content-Range", "bytes */?"), ("Content-Length", "0"), status=416, body=b""),
    ],
)
def test_after_another_part_than_requested_the_download_restarts(
    server: Server, part: Path, download: Callable[..., None], route: Route
) -> None:
    part.write_bytes(b"of another version")
    download(in_turn(route, File(DATA)))
    assert part.read_bytes() == DATA
    assert server.ranges("/file") == ["bytes=18-", None]


@pytest.mark.parametrize("state", ["", "[]", "5", "{}", '{"url": URL, "version": ["a"]}'])
def test_a_damaged_resume_state_is_ignored(
    server: Server, part: Path, download: Callable[..., None], state: str
) -> None:
    part.write_bytes(DATA[:10])
    url = f'"{server.url("/file")}"'
    part.with_name(part.name + ".json").write_text(state.replace("URL", url))
    download(File(DATA))
    assert part.read_bytes() == DATA
    assert server.ranges("/file") == ["bytes=10-"]
