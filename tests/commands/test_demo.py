"""`mdrnets demo`: its start and its end."""

import os
import signal
import socket
import subprocess
import sys
import webbrowser
from pathlib import Path
from urllib.request import urlopen

import pytest

from mdrnets.commands.command_line import run_command
from mdrnets.demo.server import DemoServer
from mdrnets.execution.ports import HOST
from tests.helpers.project import LAYOUT, write_configuration
from tests.helpers.trained_toys import write_trained_toys

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_trained_toys(tmp_path)
    return tmp_path


def test_it_serves_until_ctrl_c(project: Path) -> None:
    server = subprocess.Popen(
        [sys.executable, "-m", "mdrnets", "demo", "--no-browser"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        address = server.stdout.readline().removeprefix("the demo: ").split()[0]
        with urlopen(address, timeout=60) as answer:
            assert b"<title>" in answer.read()
    finally:
        server.send_signal(signal.SIGINT)
        errors = server.communicate(timeout=60)[1]
    assert server.returncode == 128 + signal.SIGINT
    assert errors == "interrupted\n"


@pytest.mark.parametrize("arguments", [[], ["--no-browser"]])
def test_the_browser_is_opened_unless_it_is_not_wanted(
    project: Path,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setattr(DemoServer, "serve_forever", lambda self: None)
    assert run_command("demo", arguments) == 0
    address = capsys.readouterr().out.split()[2]
    assert opened == ([] if arguments else [address])


def test_a_profile_without_trained_methods_says_how_to_train_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the sentence of `mdrnets complete`."""
    monkeypatch.chdir(tmp_path)
    write_configuration(tmp_path)
    assert run_command("demo", ["--no-browser"]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {LAYOUT.model('one', 'toy')}: ")
    arguments = ["photo.png", "--hole", "hole.png", "--output", "out.png", "--method", "toy"]
    assert run_command("complete", arguments) == 1
    assert capsys.readouterr().err == error


def test_a_port_in_use_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as busy:
        busy.bind((HOST, 0))
        busy.listen()
        port = str(busy.getsockname()[1])
        assert run_command("demo", ["--no-browser", "--port", port]) == 1
    assert port in capsys.readouterr().err
