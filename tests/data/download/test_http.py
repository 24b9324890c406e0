import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from mdrnets.data.download import http as module
from mdrnets.data.download.http import ATTEMPTS, RefusedError, transfer
from tests.helpers.server import (
    QUOTA,
    File,
    Server,
    google_drive,
    in_turn,
    missing,
    page,
    redirect,
    serving,
)

DATA = bytes(range(256)) * 40


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came of an unfinished chunk is lost."""
    monkeypatch.setattr(module, "_CHUNK", 100)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "faces.zip.part"


Fetch = Callable[..., list[tuple[str, int, int | None]]]


@pytest.fixture
def fetch(server: Server, part: Path) -> Fetch:
    """Fetch `/file`, without pauses; returns what was announced."""

    def fetched(
        path: str = "/file", *, size: int | None = None
    ) -> list[tuple[str, int, int | None]]:
        said: list[tuple[str, int, int | None]] = []
        with requests.Session() as session:
            transfer(
                server.url(path),
                part,
                size=size,
                announce=lambda *what: said.append(what),
                session=session,
                pause=0,
            )
        return said

    return fetched


def test_a_file_arrives_and_is_announced_before(server: Server, part: Path, fetch: Fetch) -> None:
    server.routes["/file"] = File(DATA)
    assert fetch() == [("127.0.0.1", 0, len(DATA))]
    assert part.read_bytes() == DATA


def test_what_the_caller_refuses_is_not_written(server: Server, part: Path) -> None:
    server.routes["/file"] = File(DATA)

    def refuse(host: str, start: int, size: int | None) -> None:
        raise ValueError("too large")

    with requests.Session() as session, pytest.raises(ValueError, match="too large"):
        transfer(server.url("/file"), part, size=None, announce=refuse, session=session)
    assert not part.exists()


@pytest.mark.parametrize("says_length", [True, False])
def test_a_dropped_connection_goes_on_where_it_broke(
    server: Server, part: Path, fetch: Fetch, says_length: bool
) -> None:
    server.routes["/file"] = File(DATA, drops=[6000, 100], says_length=says_length)
    said = fetch(size=len(DATA))
    assert part.read_bytes() == DATA
    assert server.ranges("/file") == [None, "bytes=6000-", "bytes=6100-"]
    assert [start for _, start, _ in said] == [0, 6000, 6100]


def test_another_process_goes_on_with_the_part(server: Server, part: Path, fetch: Fetch) -> None:
    part.write_bytes(DATA[:5000])
    note = {"url": server.url("/file"), "version": '"first"'}
    part.with_name(part.name + ".json").write_text(json.dumps(note))
    server.routes["/file"] = File(DATA)
    fetch()
    assert part.read_bytes() == DATA
    (headers,) = [headers for _, headers in server.requests]
    assert (headers["Range"], headers["If-Range"]) == ("bytes=5000-", '"first"')
    assert headers["Accept-Encoding"] == "identity"


def test_a_part_of_an_older_version_is_dropped(server: Server, part: Path, fetch: Fetch) -> None:
    server.routes["/file"] = File(b"old" * 3000, drops=[4000])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ATTEMPTS", 1)
        with pytest.raises(RefusedError, match="broke off"):
            fetch()
    assert len(part.read_bytes()) == 4000
    server.routes["/file"] = File(DATA, tag='"second"')
    fetch()
    assert part.read_bytes() == DATA


def test_a_server_without_ranges_sends_all_of_it_again(
    server: Server, part: Path, fetch: Fetch
) -> None:
    server.routes["/file"] = File(DATA, drops=[6000], ranges=False)
    fetch()
    assert part.read_bytes() == DATA


def test_a_whole_part_needs_no_byte(server: Server, part: Path, fetch: Fetch) -> None:
    server.routes["/file"] = File(DATA)
    part.write_bytes(DATA)
    assert fetch() == []  # the answer is 416
    assert part.read_bytes() == DATA
    assert fetch(size=len(DATA)) == []  # known without asking
    assert len(server.requests) == 1


def test_a_part_that_is_too_long_is_fetched_anew(server: Server, part: Path, fetch: Fetch) -> None:
    server.routes["/file"] = File(DATA)
    part.write_bytes(DATA + b"more")
    fetch()
    assert part.read_bytes() == DATA


def test_redirections_are_followed_with_the_range(server: Server, part: Path, fetch: Fetch) -> None:
    server.routes |= {"/file": redirect("/there"), "/there": redirect("/file2")}
    server.routes["/file2"] = File(DATA)
    part.write_bytes(DATA[:10])
    fetch()
    assert part.read_bytes() == DATA
    assert server.ranges("/file2") == ["bytes=10-"]


def test_passing_troubles_are_waited_for(server: Server, part: Path, fetch: Fetch) -> None:
    server.routes["/file"] = in_turn(page("busy", 503), page("slow down", 429), File(DATA))
    fetch()
    assert part.read_bytes() == DATA


def test_pauses_double(
    server: Server, part: Path, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(module.time, "sleep", pauses.append)
    server.routes["/file"] = page("busy", 503)
    with requests.Session() as session, pytest.raises(RefusedError, match="503, 6 times in a row"):
        transfer(server.url("/file"), part, size=None, announce=lambda *_: None, session=session)
    assert pauses == [1, 2, 4, 8, 16]
    assert len(server.requests) == ATTEMPTS


def test_no_connection_is_told(part: Path, closed_port: int) -> None:
    url = f"http://127.0.0.1:{closed_port}/file"
    with requests.Session() as session, pytest.raises(RefusedError, match="there is no connection"):
        transfer(url, part, size=1, announce=lambda *_: None, session=session, pause=0)


def test_a_missing_file_is_refused_at_once(server: Server, part: Path, fetch: Fetch) -> None:
    server.routes["/file"] = missing
    with pytest.raises(RefusedError, match="the server answers 404"):
        fetch()
    assert len(server.requests) == 1
    assert not part.exists()


@pytest.mark.parametrize(
    ("route", "reason"),
    [
        (page(QUOTA), "Google Drive's download quota of this file is spent"),
        (page(QUOTA, content_type="application/octet-stream"), "quota of this file is spent"),
        (page("\n <HTML><body>You need access</body>", content_type=""), "asks to sign in"),
        (page("<html>hello</html>"), r"it is a web page there, not a file \(answer 200\)"),
        (page("<html>gone</html>", 403), r"it is a web page there, not a file \(answer 403\)"),
    ],
)
def test_a_web_page_is_no_file(
    server: Server, part: Path, fetch: Fetch, route: Callable, reason: str
) -> None:
    part.write_bytes(DATA[:10])
    server.routes["/file"] = route
    with pytest.raises(RefusedError, match=reason):
        fetch()
    assert part.read_bytes() == DATA[:10]  # to go on with, when the quota is back


def test_google_drives_form_is_confirmed(server: Server, part: Path, fetch: Fetch) -> None:
    server.routes |= {"/uc": redirect("/download"), "/download": google_drive(File(DATA, [200]))}
    fetch("/uc", size=len(DATA))
    assert part.read_bytes() == DATA
    # The form again, since the connection broke, and then the rest.
    assert server.ranges("/download") == [None, None, "bytes=200-", "bytes=200-"]


def test_a_form_behind_the_form_is_a_page(server: Server, fetch: Fetch) -> None:
    server.routes["/download"] = google_drive(page(QUOTA))
    with pytest.raises(RefusedError, match="quota"):
        fetch("/download")


def test_another_size_is_refused_before_a_byte_is_written(
    server: Server, part: Path, fetch: Fetch
) -> None:
    server.routes["/file"] = File(DATA)
    with pytest.raises(RefusedError, match="it is of 10,240 bytes there, expected 10,241"):
        fetch(size=len(DATA) + 1)
    assert not part.exists()
    server.routes["/file"] = File(DATA, says_length=False)
    with pytest.raises(RefusedError, match="it gave 10,240 bytes, expected 10,239"):
        fetch(size=len(DATA) - 1)
    assert not part.exists()
