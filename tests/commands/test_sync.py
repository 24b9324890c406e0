import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from mdrnets.commands.command_line import run_command
from mdrnets.tracking.mlflow_store import open_store
from mdrnets.tracking.provenance import Process, this_process
from mdrnets.tracking.record import Record, now, read
from mdrnets.tracking.record_store import RecordStore

Make = Callable[..., Record]
SMOKE = ["--profile", "smoke"]


@pytest.fixture
def records(configs: Path, make_record: Make) -> RecordStore:
    """One finished execution, and one whose process was killed."""
    records = RecordStore(Path("runs/smoke/records"))
    ended = records.begin(make_record(name="masks-one"), resumes=False)
    records.update(ended, status="FINISHED", ended=now())
    dead = Process(host=this_process().host, pid=this_process().pid, created=0.0)
    records.begin(make_record(process=dead), resumes=False)
    return records


def test_it_sends_what_ended_and_what_died(
    records: RecordStore, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("sync", SMOKE) == 0
    assert capsys.readouterr().out == "2 records sent to sqlite:///mlflow.db\n"
    with open_store("smoke") as store:
        runs = store.client.search_runs([store.experiment])
    assert {run.info.run_name: run.info.status for run in runs} == {
        "masks-one": "FINISHED",
        "train-one-pconv": "KILLED",
    }
    assert run_command("sync", SMOKE) == 0
    assert capsys.readouterr().out.startswith("0 records")


def test_a_new_database_gets_all_of_them_on_demand(
    records: RecordStore, database: Path, empty_database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_command("sync", [*SMOKE, "--quiet"])
    with open_store("smoke") as store:
        for run in store.client.search_runs([store.experiment]):
            store.client.delete_run(run.info.run_id)
    assert run_command("sync", [*SMOKE, "--all"]) == 0
    assert capsys.readouterr().out.startswith("2 records")
    with open_store("smoke") as store:
        assert len(store.client.search_runs([store.experiment])) == 2


@pytest.mark.parametrize(("flags", "code"), [([], 1), (["--quiet"], 0)])
def test_an_unreachable_server_fails_only_by_hand(
    records: RecordStore,
    closed_port: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    code: int,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{closed_port}")
    assert run_command("sync", [*SMOKE, *flags]) == code
    assert f"127.0.0.1:{closed_port}" in capsys.readouterr().err
    dead = read(records.path("train-one-pconv"))
    assert dead is not None and dead.status == "KILLED" and dead.mlflow is None


def test_the_list_tells_what_is_not_sent(
    records: RecordStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("sync", [*SMOKE, "--list"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.split()[:2] == ["masks-one", "FINISHED"] and first.endswith("not sent")
    assert second.split()[:2] == ["train-one-pconv", "RUNNING"]


@pytest.mark.slow
def test_mlflow_shows_the_runs(records: RecordStore, database: Path, closed_port: int) -> None:
    run_command("sync", SMOKE)
    with open_store("smoke") as store:
        question = json.dumps({"experiment_ids": [store.experiment]}).encode()
    command = f"-m mlflow ui --backend-store-uri sqlite:///mlflow.db --port {closed_port}"
    server = subprocess.Popen(
        [sys.executable, *command.split()],
        env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        address = f"http://127.0.0.1:{closed_port}"
        answer = json.loads(_ask(f"{address}/api/2.0/mlflow/runs/search", question))
        names = {run["info"]["run_name"] for run in answer["runs"]}
        assert names == {"masks-one", "train-one-pconv"}
        assert b"<title>MLflow" in _ask(address)
    finally:
        os.killpg(server.pid, 15)
        server.wait()


def _ask(address: str, question: bytes | None = None) -> bytes:
    """Ask a server that may need a while to start."""
    request = urllib.request.Request(address, question, {"Content-Type": "application/json"})
    for _ in range(240):
        try:
            with urllib.request.urlopen(request) as answer:
                return bytes(answer.read())
        except urllib.error.URLError as error:
            if isinstance(error, urllib.error.HTTPError):
                raise
            time.sleep(0.5)
    raise AssertionError(f"{address} does not answer")
