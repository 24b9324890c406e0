"""Send records to MLflow: one run for each execution, nested in one for each workflow invocation.

Records that could not be sent are sent the next time. Sending a record twice adds nothing, since
its run is found by the id of the execution.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from mdrnets.files import sha256
from mdrnets.tracking.curves import read_points
from mdrnets.tracking.invocations import end_invocations, parent_run
from mdrnets.tracking.mlflow_requests import (
    METRICS,
    PARAMETER_LENGTH,
    PARAMETERS,
    chunks,
    common_tags,
    find_run,
    flat_parameters,
    metric_key,
    milliseconds,
    running_runs,
)
from mdrnets.tracking.mlflow_store import Store, open_store, public_uri
from mdrnets.tracking.provenance import Process
from mdrnets.tracking.record import MlflowStatus, Record, is_inside, now
from mdrnets.tracking.record_store import RecordStore

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput

EXECUTION, PROCESS = "mdrnets.execution", "mdrnets.process"
PARENT = "mlflow.parentRunId"
ARTIFACT_SUFFIXES = (".csv", ".json", ".md", ".tex", ".png")
ARTIFACT_BYTES = 1_000_000
"""Of larger outputs, only the hash is sent, in the manifest."""
DATA_FOLDERS = ("raw", "splits", "packed", "masks")
"""Folders of a run whose files MLflow shows as data sets that an execution used."""
DIGEST_LENGTH = 36
"""The most that MLflow takes of a data set's digest."""


def unsent(records: RecordStore) -> list[Record]:
    """The ended executions that the current store does not have completely."""
    return [
        record
        for record in records.all()
        if record.status != "RUNNING"
        and not (
            record.mlflow and record.mlflow.complete and record.mlflow.tracking_uri == public_uri()
        )
    ]


def sync(records: RecordStore, profile: str, *, everything: bool = False) -> int:
    """Send the records that the store does not have yet, and mark dead runs.

    Args:
        records: the folder of the profile's records.
        profile: its name.
        everything: also send what was sent before; the database may be another.

    Returns:
        How many records were sent.

    Raises:
        TrackingError: MLflow is unavailable; the other records are sent the next time.
        UserError: a store that loses runs.
    """
    records.mark_dead_runs()
    if not (everything or unsent(records)):
        return 0
    with FileLock(records.folder / ".sync.lock"), open_store(profile) as store:
        # Read again: another process may have sent some meanwhile.
        ended = [record for record in records.all() if record.status != "RUNNING"]
        waiting = ended if everything else unsent(records)
        for record in waiting:
            send(store, records, record)
        _end_dead(store)
        end_invocations(store, records, {record.invocation for record in waiting})
    return len(waiting)


def send(store: Store, records: RecordStore, record: Record) -> None:
    """Send everything in a record to a new run."""
    run_id = open_run(store, records, record)
    send_points(store, run_id, records.curves(record))
    _send_measurements(store, run_id, record)
    manifest = record.model_dump(mode="json", include={"command", "inputs", "code", "outputs"})
    store.client.log_dict(run_id, manifest, "manifest.json")
    for path in _artifacts(record):
        # With their folders, since files of two data sets have the same name.
        store.client.log_artifact(run_id, str(path), str(Path("outputs") / path.parent))
    store.client.set_terminated(run_id, record.status, end_time=milliseconds(record.ended or now()))
    status = MlflowStatus(tracking_uri=public_uri(), run_id=run_id, complete=True)
    records.update(record, mlflow=status)
    records.forget_superseded(record)


def open_run(store: Store, records: RecordStore, record: Record) -> str:
    """Create or reopen the run of an execution, with parameters and tags; returns its id."""
    from mlflow.entities import Param, RunTag

    run = find_run(store, EXECUTION, record.execution)
    if run is None:
        run = store.client.create_run(
            store.experiment,
            run_name=record.name,
            start_time=milliseconds(record.started),
            tags={EXECUTION: record.execution},
        )
    elif record.status == "RUNNING":
        store.client.update_run(run.info.run_id, status="RUNNING")
    tags = _tags(record)
    if record.invocation:
        # Two trainings must not create it at the same time.
        with FileLock(records.folder / ".parent.lock"):
            tags[PARENT] = parent_run(store, records, record.invocation)
    run_id: str = run.info.run_id
    store.client.log_batch(run_id, tags=[RunTag(key, value) for key, value in tags.items()])
    parameters = [Param(key, value) for key, value in flat_parameters(record.parameters)]
    for chunk in chunks(parameters, PARAMETERS):
        store.client.log_batch(run_id, params=chunk)
    if datasets := list(_datasets(record)):
        store.client.log_inputs(run_id, datasets)
    records.update(
        record, mlflow=MlflowStatus(tracking_uri=public_uri(), run_id=run_id, complete=False)
    )
    return run_id


def send_points(store: Store, run_id: str, curves: Path, offset: int = 0) -> int:
    """Send the curves from a byte offset on; returns the offset of their end.

    MLflow ignores a point that it already has, since its time is the same.
    """
    from mlflow.entities import Metric

    points, end = read_points(curves, offset)
    metrics = [
        Metric(metric_key(name), value, point["time"], point["step"])
        for point in points
        for name, value in point["values"].items()
    ]
    for chunk in chunks(metrics, METRICS):
        store.client.log_batch(run_id, metrics=chunk)
    return end


def _send_measurements(store: Store, run_id: str, record: Record) -> None:
    from mlflow.entities import Metric, RunTag

    time = milliseconds(record.ended or record.started)
    values: dict[str, Any] = {"seconds": record.seconds, **record.measurements}
    if record.peak_memory is not None:
        values["peak_memory"] = record.peak_memory
    numbers = {k: v for k, v in values.items() if not isinstance(v, str | bool)}
    store.client.log_batch(
        run_id,
        metrics=[Metric(metric_key(key), value, time, 0) for key, value in numbers.items()],
        tags=[RunTag(metric_key(key), str(values[key])) for key in values.keys() - numbers.keys()],
    )


def _tags(record: Record) -> dict[str, str]:
    process = record.process
    machine = record.machine.model_dump() | {"gpus": ", ".join(record.machine.gpus)}
    tags = common_tags(record, source=record.command) | {
        PROCESS: f"{process.host} {process.pid} {process.created}",
        "stage": record.stage,
        "attempts": str(record.attempts),
        "threads": str(record.threads),
        "error": record.error or "",
        **record.wildcards,
        **{f"version.{package}": version for package, version in record.versions.items()},
        **{f"machine.{key}": str(value) for key, value in machine.items()},
    }
    if record.taken_inputs:  # they had changed since their jobs made them
        tags["taken_inputs"] = ", ".join(record.taken_inputs)[:PARAMETER_LENGTH]
    return tags


def _datasets(record: Record) -> "Iterator[DatasetInput]":
    """The data among an execution's inputs."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    for name, known in record.inputs.items():
        path = Path(name)
        if path.parent.name in DATA_FOLDERS:
            dataset = Dataset(
                name=f"{record.profile}/{path.parent.name}/{path.name}",
                digest=known.sha256[:DIGEST_LENGTH],
                source_type="local",
                source=json.dumps({"uri": name}),
                profile=json.dumps({"bytes": known.bytes}),
            )
            yield DatasetInput(dataset, [InputTag("mlflow.data.context", record.stage)])


def _artifacts(record: Record) -> Iterator[Path]:
    """The small outputs in the project's folder that have not changed since this execution."""
    for name, known in record.outputs.items():
        path = Path(name)
        small = path.suffix in ARTIFACT_SUFFIXES and known.bytes < ARTIFACT_BYTES
        if small and is_inside(name) and path.is_file() and sha256(path) == known.sha256:
            yield path


def _end_dead(store: Store) -> None:
    """Mark the running MLflow runs whose process has died, even if the record was deleted."""
    for run in running_runs(store, PROCESS):
        host, pid, created = run.data.tags[PROCESS].split(" ")
        if Process(host=host, pid=int(pid), created=float(created)).is_gone():
            store.client.set_terminated(run.info.run_id, "KILLED")
