"""MLflow runs of whole workflow runs, which are the parents of the stages' runs.

One has the profile, the commit and the command of the workflow run, and Table 1 if it made it.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mdrnets.files import sha256
from mdrnets.files.tables import read_table
from mdrnets.tracking.mlflow_requests import (
    METRICS,
    chunks,
    common_tags,
    find_run,
    metric_key,
    milliseconds,
    running_runs,
)
from mdrnets.tracking.mlflow_store import Store
from mdrnets.tracking.record import Record, now
from mdrnets.tracking.record_store import RecordStore

if TYPE_CHECKING:
    from mlflow.entities import Metric

INVOCATION = "mdrnets.invocation"
TABLE = "table1"
"""The stage whose table becomes metrics of the workflow run."""


def parent_run(store: Store, records: RecordStore, invocation: str) -> str:
    """The id of an invocation's run, which is created if it is missing."""
    run = find_run(store, INVOCATION, invocation)
    if run is None:
        begin = min((r.started for r in _members(records, invocation)), default=now())
        run = store.client.create_run(
            store.experiment,
            run_name=invocation,
            start_time=milliseconds(begin),
            tags={INVOCATION: invocation, **_tags(records, invocation)},
        )
    run_id: str = run.info.run_id
    return run_id


def end_invocations(store: Store, records: RecordStore, touched: Iterable[str | None]) -> None:
    """End each invocation whose stages have all ended, with the worst of their statuses.

    A database that several machines share also has invocations without a record here.
    """
    running = [run.data.tags[INVOCATION] for run in running_runs(store, INVOCATION)]
    for invocation in {*running, *filter(None, touched)}:
        members = _members(records, invocation)
        statuses = {record.status for record in members}
        if members and "RUNNING" not in statuses:
            worst = next((s for s in ("FAILED", "KILLED") if s in statuses), "FINISHED")
            end = max((r.ended for r in members if r.ended), default=now())
            run_id = parent_run(store, records, invocation)
            _send_table(store, run_id, members)
            store.client.set_terminated(run_id, worst, milliseconds(end))


def _tags(records: RecordStore, invocation: str) -> dict[str, str]:
    """What the stages of a workflow run have in common, taken from the first one."""
    first = min(_members(records, invocation), key=lambda r: r.started, default=None)
    return common_tags(first, source=first.workflow or first.engine) if first else {}


def _send_table(store: Store, run_id: str, members: Iterable[Record]) -> None:
    """Send Table 1 as metrics and as files, if the workflow run made the one that is here."""
    for record in members:
        if record.stage != TABLE or record.status != "FINISHED":
            continue
        for name, known in record.outputs.items():
            path = Path(name)
            if path.stem == TABLE and path.is_file() and sha256(path) == known.sha256:
                store.client.log_artifact(run_id, name)
                if path.suffix == ".csv":
                    for chunk in chunks(_cells(path, record), METRICS):
                        store.client.log_batch(run_id, metrics=chunk)


def _cells(path: Path, record: Record) -> "Iterator[Metric]":
    """The values of Table 1: `DATASET/METHOD/METRIC BIN`."""
    from mlflow.entities import Metric

    for row in read_table(path):
        if row["value"]:
            key = metric_key("{dataset}/{method}/{metric} {bin}".format(**row))
            yield Metric(key, float(row["value"]), milliseconds(record.ended or now()), 0)


def _members(records: RecordStore, invocation: str) -> list[Record]:
    return [record for record in records.all() if record.invocation == invocation]
