import json
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mdrnets.tracking import sync as module
from mdrnets.tracking.curves import append_point
from mdrnets.tracking.mlflow_store import Store, TrackingError, open_store
from mdrnets.tracking.provenance import Process, this_process
from mdrnets.tracking.record import Record, hashes, read
from mdrnets.tracking.record_store import RecordStore
from mdrnets.tracking.sync import open_run, send_points, sync, unsent
from tests.helpers.mlflow_runs import BEGIN, END, list_runs

Make = Callable[..., Record]
DEAD = Process(host=this_process().host, pid=this_process().pid, created=0.0)


@pytest.fixture
def training(records: RecordStore, make_record: Make) -> Record:
    """A finished training with outputs and a curve."""
    Path("model.json").write_text("{}")
    Path("model.safetensors").write_bytes(b"weights")
    record = records.begin(
        make_record(started=BEGIN, taken_inputs=("a.csv", "b.npy")), resumes=False
    )
    append_point(records.curves(record), 10, {"loss": 0.5, "weird(name)": 1.0})
    append_point(records.curves(record), 20, {"loss": 0.25})
    return records.update(
        record,
        status="FINISHED",
        ended=END,
        seconds=90.0,
        outputs=hashes([Path("model.json"), Path("model.safetensors")]),
        measurements={"images_per_second": 12.5, "device": "cpu"},
    )


def test_a_run_holds_what_the_record_does(
    records: RecordStore, training: Record, store: Store
) -> None:
    assert sync(records, "smoke") == 1
    (run,) = list_runs(store)
    assert run.info.run_name == "train-one-pconv"
    assert run.info.status == "FINISHED"
    assert (run.info.start_time, run.info.end_time) == (
        BEGIN.timestamp() * 1000,
        END.timestamp() * 1000,
    )
    assert run.data.params == {"seed": "7", "network.seed": "9", "network.options.steps": "4"}
    assert run.data.metrics["loss"] == 0.25
    assert run.data.metrics["weird_name_"] == 1.0
    assert run.data.metrics["seconds"] == 90.0
    assert run.data.metrics["images_per_second"] == 12.5
    assert run.data.tags["device"] == "cpu"
    assert run.data.tags["dataset"] == "one"
    assert run.data.tags["taken_inputs"] == "a.csv, b.npy"
    assert run.data.tags["mlflow.source.name"] == training.command
    assert run.data.tags["version.python"] == "3.11.7"

    history = store.client.get_metric_history(run.info.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(10, 0.5), (20, 0.25)]


def test_small_outputs_and_all_hashes_are_artifacts(
    records: RecordStore, training: Record, store: Store
) -> None:
    sync(records, "smoke")
    (run,) = list_runs(store)
    names = {item.path for item in store.client.list_artifacts(run.info.run_id, "outputs")}
    assert names == {"outputs/model.json"}
    (manifest,) = Path("mlartifacts").rglob("manifest.json")
    assert json.loads(manifest.read_text())["outputs"] == {
        name: output.model_dump() for name, output in training.outputs.items()
    }


def test_outputs_of_one_file_name_are_artifacts_of_their_own(
    records: RecordStore, make_record: Make, store: Store
) -> None:
    paths = [Path("one/summary.json"), Path("two/summary.json")]
    for path in paths:
        path.parent.mkdir()
        path.write_text(json.dumps(str(path)))
    record = records.begin(make_record(), resumes=False)
    records.update(record, status="FINISHED", ended=END, outputs=hashes(paths))
    sync(records, "smoke")
    summaries = {path.read_text() for path in Path("mlartifacts").rglob("summary.json")}
    assert summaries == {json.dumps(str(path)) for path in paths}


def test_an_output_that_changed_since_is_not_the_runs(
    records: RecordStore, training: Record, store: Store
) -> None:
    Path("model.json").write_text("{'of': 'a later execution'}")
    sync(records, "smoke")
    (run,) = list_runs(store)
    assert not store.client.list_artifacts(run.info.run_id, "outputs")


def test_the_record_knows_its_run(records: RecordStore, training: Record, store: Store) -> None:
    sync(records, "smoke")
    (run,) = list_runs(store)
    record = read(records.path(training.name))
    assert record is not None and record.mlflow is not None
    assert record.mlflow.run_id == run.info.run_id
    assert record.mlflow.tracking_uri == "sqlite:///mlflow.db"
    assert record.mlflow.complete and unsent(records) == []


def test_sending_twice_adds_nothing(records: RecordStore, training: Record, store: Store) -> None:
    sync(records, "smoke")
    assert sync(records, "smoke") == 0
    records.update(training, mlflow=None)  # as if it had stopped before this was noted
    assert sync(records, "smoke") == 1
    assert sync(records, "smoke", everything=True) == 1
    (run,) = list_runs(store)
    assert len(store.client.get_metric_history(run.info.run_id, "loss")) == 2


def test_with_nothing_to_send_mlflow_is_not_asked(
    records: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "open_store", None)
    assert sync(records, "smoke") == 0
    assert not records.folder.exists()


def test_what_runs_is_left_alone(records: RecordStore, make_record: Make, store: Store) -> None:
    records.begin(make_record(), resumes=False)
    assert sync(records, "smoke") == 0
    assert list_runs(store) == []


def test_an_unreachable_server_loses_nothing(
    records: RecordStore,
    training: Record,
    store: Store,
    closed_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{closed_port}")
    with pytest.raises(TrackingError):
        sync(records, "smoke")
    assert read(records.path(training.name)) == training
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert sync(records, "smoke") == 1
    assert len(list_runs(store)) == 1


def test_a_server_that_fails_halfway_is_caught_up(
    records: RecordStore, training: Record, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> None:
        raise ConnectionResetError(104, "Connection reset by peer")

    with monkeypatch.context() as patch:
        patch.setattr(module, "_send_measurements", fail)
        with pytest.raises(TrackingError, match="Connection reset by peer"):
            sync(records, "smoke")
    (halfway,) = list_runs(store)
    assert halfway.info.status == "RUNNING"
    assert sync(records, "smoke") == 1
    (run,) = list_runs(store)
    assert run.info.run_id == halfway.info.run_id and run.info.status == "FINISHED"


def test_a_run_that_was_made_twice_is_one_in_the_end(
    records: RecordStore, training: Record, store: Store
) -> None:
    for _ in range(2):  # a request that was repeated, since its answer came too late
        store.client.create_run(store.experiment, tags={"mdrnets.execution": training.execution})
    sync(records, "smoke")
    runs = list_runs(store, f"tags.`mdrnets.execution` = '{training.execution}'")
    assert [run.info.status for run in runs] == ["FINISHED"]


def test_another_store_gets_everything(
    records: RecordStore,
    training: Record,
    store: Store,
    empty_database: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sync(records, "smoke")
    other = tmp_path / "other.db"
    other.write_bytes(empty_database.read_bytes())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{other}")
    assert sync(records, "smoke") == 1
    with open_store("smoke") as opened:
        assert len(list_runs(opened)) == 1


def test_a_superseded_execution_is_a_run_too(
    records: RecordStore, training: Record, make_record: Make, store: Store
) -> None:
    again = records.begin(make_record(), resumes=False)
    records.update(again, status="FAILED", ended=END, error="it broke")
    assert sync(records, "smoke") == 2
    runs = {run.data.tags["mdrnets.execution"]: run for run in list_runs(store)}
    assert runs[training.execution].info.status == "FINISHED"
    assert runs[training.execution].data.metrics["loss"] == 0.25
    assert runs[again.execution].info.status == "FAILED"
    assert runs[again.execution].data.tags["error"] == "it broke"
    assert [record.execution for record in records.all()] == [again.execution]


def test_the_data_that_an_execution_read_are_its_data_sets(
    records: RecordStore, make_record: Make, store: Store
) -> None:
    packed, code = Path("runs/smoke/packed/one.npy"), Path("params.yaml")
    packed.parent.mkdir(parents=True)
    packed.write_bytes(b"pixels")
    record = records.begin(make_record(inputs=hashes([packed, code])), resumes=False)
    records.update(record, status="FINISHED", ended=END)
    sync(records, "smoke")
    sync(records, "smoke", everything=True)
    (run,) = list_runs(store)
    (used,) = run.inputs.dataset_inputs
    assert used.dataset.name == "smoke/packed/one.npy"
    assert hashes([packed])[str(packed)].sha256.startswith(used.dataset.digest)
    assert json.loads(used.dataset.source) == {"uri": str(packed)}


# -- what died -------------------------------------------------------------------------------


def test_a_killed_process_is_a_killed_run(
    records: RecordStore, make_record: Make, store: Store
) -> None:
    records.begin(make_record(process=DEAD), resumes=False)
    sync(records, "smoke")
    (run,) = list_runs(store)
    assert run.info.status == "KILLED"


def test_a_dead_run_without_a_record_is_ended(
    records: RecordStore, training: Record, make_record: Make, store: Store
) -> None:
    dead = records.begin(make_record(name="lost", process=DEAD), resumes=False)
    open_run(store, records, dead)
    alive = records.begin(make_record(name="alive"), resumes=False)
    open_run(store, records, alive)
    records.path("lost").unlink()

    sync(records, "smoke")
    statuses = {run.info.run_name: run.info.status for run in list_runs(store)}
    assert statuses == {"lost": "KILLED", "alive": "RUNNING", "train-one-pconv": "FINISHED"}


# -- many points, many processes -------------------------------------------------------------


def test_more_points_than_mlflow_takes_at_once(
    records: RecordStore, training: Record, store: Store
) -> None:
    for step in range(30, 1330):
        append_point(records.curves(training), step, {"loss": float(step)})
    run_id = open_run(store, records, training)
    offset = send_points(store, run_id, records.curves(training))
    append_point(records.curves(training), 1330, {"loss": 0.0})
    send_points(store, run_id, records.curves(training), offset)
    assert len(store.client.get_metric_history(run_id, "loss")) == 1303


def test_parallel_processes_lose_nothing(
    records: RecordStore, make_record: Make, store: Store
) -> None:
    ready = multiprocessing.get_context("forkserver")
    ready.set_forkserver_preload(["mlflow", "mdrnets.tracking.sync"])
    names = [f"train-one-{letter}" for letter in "abcd"]
    barrier = ready.Barrier(len(names))
    processes = []
    for name in names:
        record = make_record(name=name, invocation="snakemake-7")
        processes.append(ready.Process(target=_train, args=(Path.cwd(), record, barrier)))
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]

    runs = list_runs(store)
    assert {run.info.run_name for run in runs} == set(names)
    for run in runs:
        history = store.client.get_metric_history(run.info.run_id, "loss")
        assert [point.step for point in history] == list(range(50))
    assert len({run.data.tags["mlflow.parentRunId"] for run in runs}) == 1


def _train(folder: Path, record: Record, barrier: Any) -> None:
    os.chdir(folder)
    records = RecordStore(Path("runs/smoke/records"))
    records.begin(record, resumes=False)
    barrier.wait()
    offset = 0
    with open_store("smoke") as opened:
        run_id = open_run(opened, records, record)
        for step in range(50):
            append_point(records.curves(record), step, {"loss": 1.0 / (step + 1)})
            if step % 5 == 4:
                offset = send_points(opened, run_id, records.curves(record), offset)
