"""`mdrnets ui`: the page that it opens."""

import os
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from pathlib import Path

import pytest

from mdrnets.commands import ui
from mdrnets.commands.command_line import run_command
from mdrnets.execution.ports import HOST, is_used
from mdrnets.tracking import mlflow_store
from mdrnets.tracking.mlflow_store import open_store
from tests.helpers.browser import needs_chromium, open_chromium

ROOT = Path(__file__).parents[2]
SMOKE = ["--profile", "smoke"]


def test_a_server_that_runs_is_only_opened(
    configs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:secret@host/mlflow/")
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setattr(mlflow_store, "_experiment", lambda *_: "42")
    monkeypatch.setattr(ui, "choose_port", None)
    assert run_command("ui", SMOKE) == 0
    page = "host/mlflow/#/experiments/42/runs?workflowType=machine_learning"
    assert opened == [f"https://me:secret@{page}"]
    assert capsys.readouterr().out == f"the runs: https://{page}\n"


def test_an_unreachable_server_is_one_sentence(
    configs: Path,
    closed_port: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{closed_port}")
    assert run_command("ui", SMOKE) == 1
    assert f"127.0.0.1:{closed_port}" in capsys.readouterr().err


def test_a_port_in_use_is_named(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as busy:
        busy.bind((HOST, 0))
        busy.listen()
        port = str(busy.getsockname()[1])
        assert run_command("ui", [*SMOKE, "--port", port]) == 1
    assert port in capsys.readouterr().err


_WITH_ANOTHER_SERVER = """
import sys
from contextlib import nullcontext
from types import SimpleNamespace
from mdrnets.commands.command_line import run_command
from mdrnets.exchange import logged_models
from mdrnets.tracking import mlflow_store
logged_models.send_all = lambda config: 0
mlflow_store.open_store = lambda profile: nullcontext(SimpleNamespace(experiment="1"))
sys.executable, port = sys.argv[1:]
sys.exit(run_command("ui", ["--profile", "smoke", "--no-browser", "--port", port]))
"""
_SERVER = """
import socket, sys, time
server = socket.create_server(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])))
time.sleep(60)
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_its_server_ends_with_it(
    configs: Path, closed_port: int, number: signal.Signals, code: int
) -> None:
    (configs / "server.py").write_text(_SERVER)
    server = configs / "server"
    server.write_text(f'#!/bin/sh\nexec "{sys.executable}" server.py "$@"\n')
    server.chmod(0o755)
    command = subprocess.Popen(
        [sys.executable, "-c", _WITH_ANOTHER_SERVER, str(server), str(closed_port)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    )
    with command:
        assert command.stdout is not None and command.stdout.readline()
        command.send_signal(number)
        assert command.wait(timeout=60) == code
    assert not is_used(closed_port)


@pytest.mark.slow
@needs_chromium
def test_the_page_shows_the_runs(database: Path, closed_port: int, tmp_path: Path) -> None:
    """MLflow's own first page shows traces of language models."""
    with open_store("smoke") as store:
        store.client.create_run(store.experiment, run_name="a-run-of-the-profile")
    arguments = ["ui", *SMOKE, "--no-browser", "--port", str(closed_port)]
    server = subprocess.Popen(
        [sys.executable, "-m", "mdrnets", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        address = server.stdout.readline().removeprefix("the runs: ").strip()
        with open_chromium(tmp_path / "browser") as browser:
            browser.get(address)
            end = time.monotonic() + 60
            while "a-run-of-the-profile" not in browser.page_source:
                assert time.monotonic() < end
                time.sleep(0.5)
            if picture := os.environ.get("MDRNETS_SCREENSHOT"):
                browser.save_screenshot(picture)
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=120) in (0, 130)
