"""A real MLflow server, eight trainings at once, and the server killed in their middle."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mdrnets.commands.command_line import run_command
from mdrnets.tracking.curves import read_points
from mdrnets.tracking.mlflow_store import open_store
from mdrnets.tracking.record import read
from mdrnets.tracking.record_store import RecordStore
from mdrnets.tracking.stream import SEND_EVERY
from tests.helpers.project import LAYOUT, ROOT, edit_yaml, write_configuration, write_data

PATIENT = "tests.helpers.patient"
TRAININGS = [f"toy{number}" for number in range(8)]
SECONDS = 600
"""Longer than any of these processes takes."""


class Server:
    """`mlflow server` on a free port, with its database and artifacts in a folder."""

    def __init__(self, folder: Path, port: int) -> None:
        self.uri = f"http://127.0.0.1:{port}"
        self._command = [
            *(sys.executable, "-m", "mlflow", "server", "--workers", "1"),
            *("--host", "127.0.0.1", "--port", str(port)),
            *("--backend-store-uri", f"sqlite:///{folder}/mlflow.db"),
            *("--artifacts-destination", str(folder / "artifacts")),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        }
        self._process = subprocess.Popen(
            self._command, env=os.environ | environment, start_new_session=True
        )
        _wait(self._answers)

    def kill(self) -> None:
        """SIGKILL to it and its workers."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        assert self._process is not None and self._process.poll() is None
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=10):
                return True
        except OSError:
            return False


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def server(tmp_path: Path, closed_port: int, empty_database: Path) -> Iterator[Server]:
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "mlflow.db").write_bytes(empty_database.read_bytes())
    server = Server(folder, closed_port)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def project(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: eight trainings that take a while without much work."""
    project = tmp_path / "project"
    options = {"steps": 220, "batch_size": 2}  # a hundred with a pause
    write_configuration(project, networks=dict.fromkeys(TRAININGS, options))
    write_data(project)
    with edit_yaml(project / "params.yaml") as params:
        params["methods"] |= {name: {"title": name, "module": PATIENT} for name in TRAININGS}
    with edit_yaml(project / "profiles/tiny.yaml") as profile:
        profile["methods"] = TRAININGS
    monkeypatch.chdir(project)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "120")  # a busy machine is no dead server
    return project


@pytest.mark.slow
def test_a_server_that_dies_costs_no_training_and_no_record(
    project: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    records = RecordStore(LAYOUT.records)
    paths = [records.path(f"train-one-{name}") for name in TRAININGS]

    def streaming() -> int:
        return sum(record is not None and record.mlflow is not None for record in map(read, paths))

    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "stages.train", "--profile", "tiny", "one", name],
            env=os.environ | {"PYTHONPATH": str(ROOT), "MDRNETS_INVOCATION": "snakemake-7"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in TRAININGS
    ]
    _wait(lambda: streaming() >= 2)
    server.kill()
    time.sleep(SEND_EVERY + 1)  # until those that were streaming have noticed
    server.start()
    messages = [process.communicate(timeout=SECONDS)[1] for process in processes]

    assert [process.returncode for process in processes] == [0] * 8, messages
    assert all(LAYOUT.model("one", name).is_file() for name in TRAININGS)
    assert any("mdrnets sync" in line for line in messages)

    capsys.readouterr()
    assert run_command("sync", ["--profile", "tiny"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    with open_store("tiny") as store:
        models = store.client.search_logged_models([store.experiment])
        runs = store.client.search_runs([store.experiment], "tags.stage = 'train'")
        (parent,) = store.client.search_runs(
            [store.experiment], "tags.`mdrnets.invocation` = 'snakemake-7'"
        )
        histories = {
            run.info.run_name: store.client.get_metric_history(run.info.run_id, "l1")
            for run in runs
        }
    assert Counter(run.info.run_name for run in runs) == Counter(path.stem for path in paths)
    assert {run.info.status for run in [parent, *runs]} == {"FINISHED"}
    assert {model.status for model in models} == {"READY"}
    assert {model.source_run_id for model in models} == {run.info.run_id for run in runs}
    assert {run.data.tags["mlflow.parentRunId"] for run in runs} == {parent.info.run_id}
    for path in paths:
        points, _ = read_points(path.with_suffix(".jsonl"))
        curve = sorted((point.step, point.value) for point in histories[path.stem])
        assert curve == [(point["step"], point["values"]["l1"]) for point in points]
        record = read(path)
        assert record is not None and record.mlflow is not None and record.mlflow.complete
