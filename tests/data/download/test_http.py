import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from mdrnets.data.download import http
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
    monkeypatch.setattr(http, "_CHUNK", 100)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "faces.zip.part"


Download = Callable[..., list[tuple[str, int, int | None]]]


@pytest.fixture
def download(server: Server, part: Path) -> Download:
    """Download `/file` without pauses; returns the arguments of `announce`."""

    def run(path: str = "/file", *, size: int | None = None) -> list[tuple[str, int, int | None]]:
        downloads: list[tuple[str, int, int | None]] = []
        with requests.Session() as session:
            transfer(
                server.url(path),
                part,
                size=size,
                announce=lambda *what: downloads.append(what),
                session=session,
                pause=0,
            )
        return downloads

    return run


def test_a_file_arrives_and_is_announced_before(
    server: Server, part: Path, download: Download
) -> None:
    server.routes["/file"] = File(DATA)
    assert download() == [("127.0.0.1", 0, len(DATA))]
    assert part.read_bytes() == DATA


@pytest.mark.parametrize("says_length", [True, False])
def test_a_dropped_connection_goes_on_where_it_broke(
    server: Server, part: Path, download: Download, says_length: bool
) -> None:
    server.routes["/file"] = File(DATA, drops=[6000, 100], says_length=says_length)
    downloads = download(size=len(DATA))
    assert part.read_bytes() == DATA
    assert server.ranges("/file") == [None, "bytes=6000-", "bytes=6100-"]
    assert [start for _, start, _ in downloads] == [0, 6000, 6100]


def test_another_process_goes_on_with_the_part(
    server: Server, part: Path, download: Download
) -> None:
    part.write_bytes(DATA[:5000])
    note = {"url": server.url("/file"), "version": '"first"'}
    part.with_name(part.name + ".json").write_text(json.dumps(note))
    server.routes["/file"] = File(DATA)
    download()
    assert part.read_bytes() == DATA
    (headers,) = [headers for _, headers in server.requests]
    assert (headers["Range"], headers["If-Range"]) == ("bytes=5000-", '"first"')
    assert headers["Accept-Encoding"] == "identity"


def test_a_part_of_an_older_version_is_dropped(
    server: Server, part: Path, download: Download
) -> None:
    server.routes["/file"] = File(b"old" * 3000, drops=[4000])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http, "ATTEMPTS", 1)
        with pytest.raises(RefusedError):
            download()
    assert len(part.read_bytes()) == 4000
    server.routes["/file"] = File(DATA, tag='"second"')
    download()
    assert part.read_bytes() == DATA


def test_a_server_without_ranges_sends_all_of_it_again(
    server: Server, part: Path, download: Download
) -> None:
    server.routes["/file"] = File(DATA, drops=[6000], ranges=False)
    download()
    assert part.read_bytes() == DATA


def test_a_whole_part_needs_no_byte(server: Server, part: Path, download: Download) -> None:
    server.routes["/file"] = File(DATA)
    part.write_bytes(DATA)
    assert download() == []  # the answer is 416
    assert part.read_bytes() == DATA
    assert download(size=len(DATA)) == []  # known without asking
    assert len(server.requests) == 1


def test_a_part_that_is_too_long_is_downloaded_again(
    server: Server, part: Path, download: Download
) -> None:
    server.routes["/file"] = File(DATA)
    part.write_bytes(DATA + b"more")
    download()
    assert part.read_bytes() == DATA


def test_redirections_are_followed_with_the_range(
    server: Server, part: Path, download: Download
) -> None:
    server.routes |= {"/file": redirect("/there"), "/there": redirect("/file2")}
    server.routes["/file2"] = File(DATA)
    part.write_bytes(DATA[:10])
    download()
    assert part.read_bytes() == DATA
    assert server.ranges("/file2") == ["bytes=10-"]


def test_passing_troubles_are_waited_for(server: Server, part: Path, download: Download) -> None:
    server.routes["/file"] = in_turn(page("busy", 503), page("slow down", 429), File(DATA))
    download()
    assert part.read_bytes() == DATA


def test_pauses_double(
    server: Server, part: Path, download: Download, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(http.time, "sleep", pauses.append)
    server.routes["/file"] = page("busy", 503)
    with requests.Session() as session, pytest.raises(RefusedError, match=r"503.* 6 "):
        transfer(server.url("/file"), part, size=None, announce=lambda *_: None, session=session)
    assert pauses == [1, 2, 4, 8, 16]
    assert len(server.requests) == ATTEMPTS


def test_no_connection_is_told(part: Path, closed_port: int) -> None:
    url = f"http://127.0.0.1:{closed_port}/file"
    with requests.Session() as session, pytest.raises(RefusedError, match="connection"):
        transfer(url, part, size=1, announce=lambda *_: None, session=session, pause=0)


def test_a_missing_file_is_refused_at_once(server: Server, part: Path, download: Download) -> None:
    server.routes["/file"] = missing
    with pytest.raises(RefusedError, match="404"):
        download()
    assert len(server.requests) == 1
    assert not part.exists()


@pytest.mark.parametrize(
    ("route", "reason"),
    [
        (page(QUOTA), "quota"),
        (page(QUOTA, content_type="application/octet-stream"), "quota"),
        (page("\n <HTML><body>You need access</body>", content_type=""), "sign in"),
        (page("<html>hello</html>"), "200"),
        (page("<html>gone</html>", 403), "403"),
    ],
)
def test_a_web_page_is_no_file(
    server: Server, part: Path, download: Download, route: Callable, reason: str
) -> None:
    part.write_bytes(DATA[:10])
    server.routes["/file"] = route
    with pytest.raises(RefusedError, match=reason):
        download()
    assert part.read_bytes() == DATA[:10]  # to go on with, when the quota is back


def test_google_drives_form_is_confirmed(server: Server, part: Path, download: Download) -> None:
    server.routes |= {"/uc": redirect("/download"), "/download": google_drive(File(DATA, [200]))}
    download("/uc", size=len(DATA))
    assert part.read_bytes() == DATA
    # The form again, since the connection broke, and then the rest.
    assert server.ranges("/download") == [None, None, "bytes=200-", "bytes=200-"]


def test_a_form_behind_the_form_is_a_page(server: Server, download: Download) -> None:
    server.routes["/download"] = google_drive(page(QUOTA))
    with pytest.raises(RefusedError, match="quota"):
        download("/download")


def test_another_size_is_refused_before_a_byte_is_written(
    server: Server, part: Path, download: Download
) -> None:
    server.routes["/file"] = File(DATA)
    with pytest.raises(RefusedError, match=r"10,240 .*10,241"):
        download(size=len(DATA) + 1)
    assert not part.exists()
    server.routes["/file"] = File(DATA, says_length=False)
    with pytest.raises(RefusedError, match=r"10,240 .*10,239"):
        download(size=len(DATA) - 1)
    assert not part.exists()
