import hashlib
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mdrnets.config.data import Source
from mdrnets.data.download import http as transfer
from mdrnets.data.download.cache import download_verified
from mdrnets.errors import UserError
from tests.helpers.server import QUOTA, File, Server, in_turn, page, serving

DATA = b"PK" + bytes(range(256)) * 40
SHA256, MD5 = hashlib.sha256(DATA).hexdigest(), hashlib.md5(DATA).hexdigest()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(transfer, "_CHUNK", 100)
    with serving() as server:
        server.routes["/faces.zip"] = File(DATA)
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "downloads"


@pytest.fixture
def said() -> list[str]:
    return []


Obtain = Callable[..., Path]


@pytest.fixture
def fetch(server: Server, folder: Path, said: list[str]) -> Obtain:
    """Obtain `faces.zip`; keys of the source as wished."""

    def obtained(*, from_folder: Path | None = None, **keys: Any) -> Path:
        keys = {"url": server.url("/faces.zip"), "sha256": SHA256} | keys
        source = Source.model_validate({"files": 1, "licence": "MIT", **keys})
        return download_verified(source, folder, from_folder=from_folder, say=said.append, pause=0)

    return obtained


def _refused(fetch: Obtain, **keys: Any) -> str:
    with pytest.raises(UserError) as raised:
        fetch(**keys)
    return str(raised.value)


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}


@pytest.mark.parametrize(
    "keys",
    [
        {"sha256": SHA256},
        {"sha256": SHA256[:8]},
        {"sha256": None, "md5": MD5},
        {"sha256": SHA256, "md5": MD5, "bytes": len(DATA)},
    ],
)
def test_a_file_is_fetched_once(
    server: Server, folder: Path, fetch: Obtain, said: list[str], keys: dict[str, Any]
) -> None:
    path = fetch(**keys)
    assert path == folder / "faces.zip"
    assert path.read_bytes() == DATA
    assert said == ["faces.zip: fetching 0 MiB from 127.0.0.1"]
    assert _names(folder) == {"faces.zip"}
    assert fetch(**keys) == path
    assert len(server.requests) == 1


def test_an_interrupted_download_is_resumed(
    server: Server, folder: Path, fetch: Obtain, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.routes["/faces.zip"] = File(DATA, drops=[6000])
    monkeypatch.setattr(transfer, "ATTEMPTS", 1)
    message = _refused(fetch)
    assert "the connection broke off" in message
    assert (folder / "faces.zip.part").stat().st_size == 6000
    fetch()
    assert server.ranges("/faces.zip") == [None, "bytes=6000-"]
    assert said[-1] == "faces.zip: fetching 0 MiB from 127.0.0.1, of which 0 MiB are here already"
    assert _names(folder) == {"faces.zip"}


def test_another_hash_is_set_aside_and_not_used(
    server: Server, folder: Path, fetch: Obtain
) -> None:
    server.routes["/faces.zip"] = File(DATA[:-1] + b"?")
    message = _refused(fetch)
    assert "its SHA256 is " in message and f"expected {SHA256}" in message
    assert "set aside as faces.zip.corrupt" in message
    assert _names(folder) == {"faces.zip.corrupt"}
    server.routes["/faces.zip"] = File(DATA)
    assert fetch().read_bytes() == DATA


def test_the_next_address_is_tried(server: Server, fetch: Obtain) -> None:
    server.routes |= {"/a.zip": page(QUOTA), "/b.zip": File(b"PK damaged")}
    urls = [server.url(path) for path in ("/a.zip", "/b.zip", "/faces.zip")]
    assert fetch(url=urls, file="faces.zip").read_bytes() == DATA


def test_when_no_address_has_it_the_manual_way_is_told(
    server: Server, folder: Path, fetch: Obtain
) -> None:
    server.routes["/faces.zip"] = page(QUOTA)
    urls = [server.url("/faces.zip"), server.url("/nowhere.zip")]
    message = _refused(fetch, url=urls, bytes=len(DATA))
    for part in (
        f"{folder}/faces.zip could not be fetched",
        f"{urls[0]}: Google Drive's download quota of this file is spent",
        f"{urls[1]}: the server answers 404",
        f"get it by hand ({len(DATA):,} bytes, SHA-256 {SHA256}) and put it there",
        "--from-dir",
    ):
        assert part in message
    (folder / "faces.zip").write_bytes(DATA)
    assert fetch(url=urls) == folder / "faces.zip"


def test_a_file_got_by_hand_is_verified_where_it_is(
    server: Server, tmp_path: Path, folder: Path, fetch: Obtain
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    message = _refused(fetch, from_folder=mine)
    assert message.startswith(f"{mine}/faces.zip: there is no such file; get it from http://127")
    (mine / "faces.zip").write_bytes(b"another")
    assert f"{mine}/faces.zip: its SHA256 is" in _refused(fetch, from_folder=mine)
    (mine / "faces.zip").write_bytes(DATA)
    assert fetch(from_folder=mine) == mine / "faces.zip"
    assert _names(folder) == set()
    assert server.requests == []


def test_a_file_there_that_is_another_is_refused(folder: Path, fetch: Obtain) -> None:
    folder.mkdir()
    (folder / "faces.zip").write_bytes(DATA[:100])
    message = _refused(fetch, bytes=len(DATA))
    expected = f"{len(DATA):,}; remove it, or get it again"
    assert message == f"{folder}/faces.zip: it is of 100 bytes, expected {expected}"
    assert (folder / "faces.zip").stat().st_size == 100


def test_without_a_published_hash_the_first_file_is_trusted(
    server: Server, folder: Path, fetch: Obtain, said: list[str]
) -> None:
    path = fetch(sha256=None)
    assert (folder / "faces.zip.sha256").read_text() == SHA256 + "\n"
    assert "its publisher gives no hash, so this first file is trusted" in said[-1]
    assert SHA256 in said[-1]
    fetch(sha256=None)
    assert len(said) == 2

    path.unlink()
    server.routes["/faces.zip"] = File(DATA + b"new")
    assert f"expected {SHA256}" in _refused(fetch, sha256=None)


def test_a_disk_that_is_too_small_is_told_before(
    server: Server, folder: Path, fetch: Obtain, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(folder.anchor)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2**20))
    message = _refused(fetch)
    assert "faces.zip.part needs 64 MiB and the disk has 1 MiB free" in message
    assert _names(folder) == set()


def test_two_at_once_fetch_it_once(
    server: Server, folder: Path, fetch: Obtain, said: list[str]
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    file = File(DATA)

    def slow(handler: Any) -> None:
        begun.set()
        assert go_on.wait(30)
        file(handler)

    server.routes["/faces.zip"] = slow
    paths: list[Path] = []
    threads = [threading.Thread(target=lambda: paths.append(fetch())) for _ in range(2)]
    threads[0].start()
    assert begun.wait(30)
    threads[1].start()
    while not any("another process fetches this file" in line for line in said):
        threads[1].join(0.01)
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert paths == [folder / "faces.zip"] * 2
    assert len(server.requests) == 1


def test_a_broken_server_that_recovers(server: Server, fetch: Obtain) -> None:
    server.routes["/faces.zip"] = in_turn(page("busy", 503), File(DATA, drops=[100]), File(DATA))
    assert fetch().read_bytes() == DATA
