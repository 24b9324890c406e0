import hashlib
import io
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mdrnets.config.data import Source
from mdrnets.data.download import http
from mdrnets.data.download.cache import download_verified
from mdrnets.errors import UserError
from mdrnets.files import reproducible_zipinfo
from tests.helpers.server import QUOTA, File, Server, page, serving


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(reproducible_zipinfo("00000.png"), bytes(range(256)) * 40)
    return buffer.getvalue()


DATA = _zip()
SHA256, MD5 = hashlib.sha256(DATA).hexdigest(), hashlib.md5(DATA).hexdigest()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(http, "_CHUNK", 100)
    with serving() as server:
        server.routes["/faces.zip"] = File(DATA)
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "downloads"


Download = Callable[..., Path]


@pytest.fixture
def download(server: Server, folder: Path, caplog: pytest.LogCaptureFixture) -> Download:
    """Download `faces.zip`, a source with the given keys."""
    caplog.set_level("INFO", logger="mdrnets")

    def run(*, from_folder: Path | None = None, **keys: Any) -> Path:
        keys = {"url": server.url("/faces.zip"), "sha256": SHA256} | keys
        source = Source.model_validate({"files": 1, "licence": "MIT", **keys})
        return download_verified(source, folder, from_folder=from_folder, pause=0)

    return run


def _get_error(download: Download, **keys: Any) -> str:
    with pytest.raises(UserError) as raised:
        download(**keys)
    return str(raised.value)


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}


@pytest.mark.parametrize(
    "keys",
    [
        {"sha256": SHA256},
        {"sha256": None, "md5": MD5},
        {"sha256": SHA256, "md5": MD5, "bytes": len(DATA)},
    ],
)
def test_a_file_is_downloaded_once(
    server: Server,
    folder: Path,
    download: Download,
    caplog: pytest.LogCaptureFixture,
    keys: dict[str, Any],
) -> None:
    path = download(**keys)
    assert path == folder / "faces.zip"
    assert path.read_bytes() == DATA
    assert ["faces.zip: " in line and "127.0.0.1" in line for line in caplog.messages] == [True]
    assert _names(folder) == {"faces.zip"}
    assert download(**keys) == path
    assert len(server.requests) == 1


def test_an_interrupted_download_is_resumed(
    server: Server,
    folder: Path,
    download: Download,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.routes["/faces.zip"] = File(DATA, drops=[6000])
    monkeypatch.setattr(http, "ATTEMPTS", 1)
    assert f"{folder}/faces.zip: " in _get_error(download)
    assert (folder / "faces.zip.part").stat().st_size == 6000
    download()
    assert server.ranges("/faces.zip") == [None, "bytes=6000-"]
    assert _names(folder) == {"faces.zip"}


def test_a_file_of_another_hash_is_renamed_and_not_used(
    server: Server, folder: Path, download: Download
) -> None:
    server.routes["/faces.zip"] = File(DATA[:-1] + b"?")
    message = _get_error(download)
    assert SHA256 in message and "faces.zip.corrupt" in message
    assert _names(folder) == {"faces.zip.corrupt"}
    server.routes["/faces.zip"] = File(DATA)
    assert download().read_bytes() == DATA


def test_the_next_url_is_tried(server: Server, download: Download) -> None:
    server.routes |= {"/a.zip": page(QUOTA), "/b.zip": File(b"PK damaged")}
    urls = [server.url(path) for path in ("/a.zip", "/b.zip", "/faces.zip")]
    assert download(url=urls, file="faces.zip").read_bytes() == DATA


def test_if_no_url_has_the_file_the_manual_way_is_explained(
    server: Server, folder: Path, download: Download
) -> None:
    server.routes["/faces.zip"] = page(QUOTA)
    urls = [server.url("/faces.zip"), server.url("/nowhere.zip")]
    message = _get_error(download, url=urls, bytes=len(DATA))
    for part in (
        f"{folder}/faces.zip: ",
        f"{urls[0]}: ",
        "quota",
        f"{urls[1]}: ",
        "404",
        f"{len(DATA):,}",
        SHA256,
        "--from-dir",
    ):
        assert part in message
    (folder / "faces.zip").write_bytes(DATA)
    assert download(url=urls) == folder / "faces.zip"


def test_a_manually_downloaded_file_is_verified_where_it_is(
    server: Server, tmp_path: Path, folder: Path, download: Download
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    message = _get_error(download, from_folder=mine)
    assert message.startswith(f"{mine}/faces.zip: ") and server.url("/faces.zip") in message
    (mine / "faces.zip").write_bytes(b"another")
    assert f"{mine}/faces.zip: " in _get_error(download, from_folder=mine)
    (mine / "faces.zip").write_bytes(DATA)
    assert download(from_folder=mine) == mine / "faces.zip"
    assert _names(folder) == set()
    assert server.requests == []


def test_a_file_there_that_is_another_is_refused(folder: Path, download: Download) -> None:
    folder.mkdir()
    (folder / "faces.zip").write_bytes(DATA[:100])
    message = _get_error(download, bytes=len(DATA))
    assert message.startswith(f"{folder}/faces.zip: ") and f"{len(DATA):,}" in message
    assert (folder / "faces.zip").stat().st_size == 100


def test_without_a_published_hash_the_first_file_is_trusted(
    server: Server, folder: Path, download: Download, caplog: pytest.LogCaptureFixture
) -> None:
    path = download(sha256=None)
    assert (folder / "faces.zip.sha256").read_text() == SHA256 + "\n"
    assert SHA256 in caplog.messages[-1]
    download(sha256=None)
    assert len(caplog.messages) == 2

    path.unlink()
    server.routes["/faces.zip"] = File(DATA + b"new")
    message = _get_error(download, sha256=None)
    assert SHA256 in message and f"{folder}/faces.zip.sha256" in message


@pytest.mark.parametrize("content", [b"", b'{"error": "busy"}', DATA[:-9]])
def test_what_is_no_archive_is_no_first_file(
    server: Server, folder: Path, download: Download, content: bytes
) -> None:
    server.routes["/faces.zip"] = File(content)
    assert "faces.zip.corrupt" in _get_error(download, sha256=None)
    assert _names(folder) == {"faces.zip.corrupt"}
    server.routes["/faces.zip"] = File(DATA)
    assert download(sha256=None).read_bytes() == DATA


@pytest.mark.parametrize("content", [b"", b"\n", SHA256[:8].encode(), b"\xff\n"])
def test_a_stored_hash_that_is_none_is_refused(
    folder: Path, download: Download, content: bytes
) -> None:
    download(sha256=None)
    (folder / "faces.zip.sha256").write_bytes(content)
    assert _get_error(download, sha256=None).startswith(f"{folder}/faces.zip.sha256: ")


def test_nothing_is_downloaded_to_a_disk_that_is_too_small(
    server: Server, folder: Path, download: Download, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(folder.anchor)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2**20))
    message = _get_error(download)
    assert "faces.zip.part: " in message and "1 MiB" in message and "64 MiB" in message
    assert _names(folder) == set()


def test_two_at_once_download_it_once(
    server: Server, folder: Path, download: Download, caplog: pytest.LogCaptureFixture
) -> None:
    started, go_on = threading.Event(), threading.Event()
    file = File(DATA)

    def slow(handler: Any) -> None:
        started.set()
        assert go_on.wait(30)
        file(handler)

    server.routes["/faces.zip"] = slow
    paths: list[Path] = []
    threads = [threading.Thread(target=lambda: paths.append(download())) for _ in range(2)]
    threads[0].start()
    assert started.wait(30)
    threads[1].start()
    while not any(".faces.zip.lock" in line for line in caplog.messages):
        threads[1].join(0.01)
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert paths == [folder / "faces.zip"] * 2
    assert len(server.requests) == 1
