"""User, password and query of a source's URL appear in nothing that is printed or written."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mdrnets.commands.command_line import run_command
from mdrnets.config.load import load_config
from mdrnets.config.redaction import redact_urls
from mdrnets.errors import UserError
from mdrnets.tracking.record import Record
from stages import check, code, download
from tests.helpers.finished_run import LAYOUT as FINISHED
from tests.helpers.finished_run import write_finished_run
from tests.helpers.project import edit_yaml
from tests.helpers.server import File, Server, in_turn, missing, page, redirect, serving

ROOT = Path(__file__).parents[2]
SECRETS = ("the-user", "the-password", "the-token")
PROFILE = Path("profiles/smoke.yaml")


@pytest.fixture
def server(configs: Path, database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A project whose holes come from a URL with secrets."""
    with serving() as server:
        host = server.url("/holes.zip").removeprefix("http://")
        url = f"http://the-user:the-password@{host}?token=the-token#the-token"
        with edit_yaml(PROFILE) as profile:
            profile["sources"]["holes"] = {"url": url, "folder": ".", "licence": "MIT"}
        yield server


def _leaks(folder: Path, text: str) -> list[str]:
    """Where a secret is found: in a printed text, or in a file besides the profile."""
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    del files[folder / PROFILE]
    output = {Path("printed"): text.encode()}
    return [
        str(p) for p, data in (files | output).items() if any(s.encode() in data for s in SECRETS)
    ]


def test_a_download_hides_them(
    server: Server, configs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    holes = (ROOT / "samples/archives/holes.zip").read_bytes()
    server.routes["/holes.zip"] = File(holes, drops=[1000])
    assert download.main(["holes", "--profile", "smoke"]) == 0
    authorised = [headers.get("Authorization") for _, headers in server.requests]
    assert authorised and all(authorised)  # they are sent, though
    shutil.copytree(ROOT / "reports/published", "reports/published")
    assert code.main(["--profile", "smoke"]) == 0
    assert check.main(["--profile", "smoke"]) == 0
    assert run_command("sync", ["--profile", "smoke"]) == 0
    run_command("plan", ["--profile", "smoke"])  # or its error: the other archives are not here
    record = Path("runs/smoke/records/download-holes.json").read_text(encoding="utf-8")
    assert "/holes.zip?…" in record
    output = capsys.readouterr()
    assert _leaks(configs, output.out + output.err) == []


@pytest.mark.parametrize(
    "route",
    [
        missing,
        page("<html>hello</html>"),
        redirect("file:///the-token?the-token"),
        redirect("http://[the-token"),
        in_turn(File(b"PK" * 500, drops=[100]), page("no", 403, "text/plain")),
    ],
)
def test_a_failed_download_hides_them(
    server: Server, configs: Path, capsys: pytest.CaptureFixture[str], route: Callable
) -> None:
    server.routes["/holes.zip"] = route
    assert download.main(["holes", "--profile", "smoke"]) == 1
    output = capsys.readouterr().err
    assert "/holes.zip?…: " in output
    assert run_command("sync", ["--profile", "smoke"]) == 0
    assert _leaks(configs, output) == []


def test_a_missing_file_of_a_folder_hides_them(
    server: Server, configs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert download.main(["holes", "--profile", "smoke", "--from-dir", "."]) == 1
    output = capsys.readouterr().err
    assert "/holes.zip?…" in output
    assert _leaks(configs, output) == []


def test_exports_hide_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_record: Callable[..., Record]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_finished_run(make_record)
    path = Path("profiles/tiny.yaml")
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "# https://the-user:the-password@host/a.zip?token=the-token\n")
    assert run_command("crate", ["--agent", "A Person", "--profile", "tiny"]) == 0
    shutil.unpack_archive(FINISHED.report("crate.zip"), "crate")
    copied = Path("crate/profiles/tiny.yaml").read_text(encoding="utf-8")
    assert copied == text + "# https://host/a.zip?…\n"


def test_dumps_of_a_configuration_hide_them(server: Server) -> None:
    profile = load_config("smoke").profile
    assert "the-token" in profile.sources["holes"].url[0]
    for dump in (profile.model_dump(), profile.model_dump(mode="json"), profile.model_dump_json()):
        assert not any(secret in str(dump) for secret in SECRETS)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:secret@host:5000/a@b", "https://host:5000/a@b"),
        ("https://me:p@ss@host/x.zip", "https://host/x.zip"),
        ("https://me@host", "https://host"),
        ("https://host/x.zip?a=b&c=d", "https://host/x.zip?…"),
        ("https://host/x.zip#secret", "https://host/x.zip?…"),
        ("https://host?secret", "https://host?…"),
        ("HTTPS://me:secret@host/x", "HTTPS://host/x"),
        ("https://host/x.zip", "https://host/x.zip"),
        ("from http://a:b@h/x?y (z) and s3://k:s@b/p", "from http://h/x?… (z) and s3://b/p"),
        ("url: 'https://h/x?y'\nfile: z", "url: 'https://h/x?…'\nfile: z"),
        ("no URL: me:secret@host?x", "no URL: me:secret@host?x"),
    ],
)
def test_a_url_is_shown_without_secrets(url: str, shown: str) -> None:
    assert redact_urls(url) == shown


@pytest.mark.parametrize(
    "url",
    [
        "http://the-user:the-password/x@host/a.zip",
        "http://[the-token/a.zip",
        "ftp://the-user:the-password@host/a.zip",
        "http://the-user@host/download?the-token",
    ],
)
def test_a_refused_url_hides_them(server: Server, url: str) -> None:
    with edit_yaml(PROFILE) as profile:
        profile["sources"]["holes"]["url"] = url
    with pytest.raises(UserError, match=r"sources\.holes") as raised:
        load_config("smoke")
    assert not any(secret in str(raised.value) for secret in SECRETS)
