import math
import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mdrnets.errors import UserError
from mdrnets.tracking import record_store as module
from mdrnets.tracking.curves import append_point
from mdrnets.tracking.provenance import Process, this_process
from mdrnets.tracking.record import MlflowStatus, Record, hashes, read
from mdrnets.tracking.record_store import RecordStore
from tests.helpers.file_locks import is_locked

Make = Callable[..., Record]
DEAD = Process(host=this_process().host, pid=this_process().pid, created=0.0)
SENT = MlflowStatus(tracking_uri="sqlite:///mlflow.db", run_id="abc", complete=True)


@pytest.fixture
def records(tmp_path: Path) -> RecordStore:
    return RecordStore(tmp_path / "records")


def test_a_record_is_read_as_it_was_written(records: RecordStore, make_record: Make) -> None:
    record = records.begin(make_record(measurements={"loss": 0.25, "exact": True}), resumes=False)
    assert read(records.path("train-one-pconv")) == record
    assert list(records.all()) == [record]


def test_a_measured_nan_stays_one(records: RecordStore, make_record: Make) -> None:
    records.begin(make_record(measurements={"loss": math.nan, "top": math.inf}), resumes=False)
    (record,) = records.all()
    assert math.isnan(float(record.measurements["loss"]))
    assert record.measurements["top"] == math.inf


def test_what_is_no_record_is_passed_over(records: RecordStore, make_record: Make) -> None:
    record = records.begin(make_record(), resumes=False)
    (records.folder / "old.json").write_text('{"name": "of another version"}')
    (records.folder / "torn.json").write_text('{"name"')
    assert list(records.all()) == [record]
    assert records.begin(make_record(name="torn"), resumes=False).name == "torn"


@pytest.mark.parametrize("status", ["FAILED", "KILLED"])
def test_a_resumed_training_goes_on_with_its_record(
    records: RecordStore, make_record: Make, status: str
) -> None:
    first = records.begin(make_record(), resumes=True)
    append_point(records.curves(first), 1, {"loss": 1.0})
    records.update(first, status=status, seconds=5.0)
    records.update(first, mlflow=SENT)

    second = records.begin(make_record(), resumes=True)
    assert second.execution == first.execution
    assert second.attempts == 2
    assert second.started == first.started and second.seconds == 5.0
    assert (
        second.mlflow is not None and not second.mlflow.complete and second.mlflow.run_id == "abc"
    )
    assert records.curves(second).exists()
    assert list(records.all()) == [second]


def test_a_killed_process_is_resumed_too(records: RecordStore, make_record: Make) -> None:
    first = records.begin(make_record(process=DEAD), resumes=True)
    assert records.begin(make_record(), resumes=True).execution == first.execution


def test_a_job_whose_host_died_is_resumed(records: RecordStore, make_record: Make) -> None:
    elsewhere = DEAD.model_copy(update={"host": "another"})
    first = records.begin(make_record(process=elsewhere, seconds=5.0), resumes=True)
    second = records.begin(make_record(), resumes=True)
    assert (second.execution, second.attempts, second.seconds) == (first.execution, 2, 5.0)


def test_one_process_at_a_time_executes_a_job(records: RecordStore) -> None:
    with records.lock_job("train-one-toy"):
        with records.lock_job("train-two-toy"):
            pass
        with pytest.raises(UserError, match="train-one-toy"):
            records.lock_job("train-one-toy")
    with records.lock_job("train-one-toy"):
        pass


@pytest.mark.parametrize(
    "changes",
    [
        {"parameters": {"params.yaml:seed": 8}},
        {"inputs": {"a": {"sha256": "0", "bytes": 1}}},
        {"code": {"b.py": {"sha256": "0", "bytes": 1}}},
    ],
)
def test_other_work_is_another_execution_and_the_unsent_one_is_kept(
    records: RecordStore, make_record: Make, changes: dict
) -> None:
    first = records.begin(make_record(process=DEAD), resumes=True)
    append_point(records.curves(first), 1, {"loss": 1.0})

    second = records.begin(make_record(**changes), resumes=True)
    assert second.execution != first.execution and second.attempts == 1
    assert not records.curves(second).exists()

    by_execution = {record.execution: record for record in records.all()}
    assert by_execution.keys() == {first.execution, second.execution}
    assert by_execution[first.execution].status == "KILLED"
    assert records.curves(first).parent.name == "earlier" and records.curves(first).exists()


def test_a_superseded_record_that_was_sent_is_not_kept(
    records: RecordStore, make_record: Make
) -> None:
    first = records.begin(make_record(), resumes=False)
    append_point(records.curves(first), 1, {"loss": 1.0})
    records.update(first, status="FINISHED")
    records.update(first, mlflow=SENT)
    second = records.begin(make_record(), resumes=False)
    assert list(records.all()) == [second]
    assert not records.curves(second).exists()


def test_a_change_reaches_a_record_that_was_put_aside(
    records: RecordStore, make_record: Make
) -> None:
    first = records.begin(make_record(process=DEAD), resumes=False)
    second = records.begin(make_record(), resumes=False)
    records.update(first, mlflow=SENT)
    result = {record.execution: record for record in records.all()}
    assert result[first.execution].mlflow == SENT
    assert result[second.execution].mlflow is None

    records.forget_superseded(first)
    records.forget_superseded(second)
    assert [record.execution for record in records.all()] == [second.execution]


def test_a_change_keeps_what_another_process_changed(
    records: RecordStore, make_record: Make
) -> None:
    stale = records.begin(make_record(), resumes=False)
    records.update(stale, status="FINISHED", seconds=3.0)
    changed = records.update(stale, mlflow=SENT)
    assert (changed.status, changed.seconds, changed.mlflow) == ("FINISHED", 3.0, SENT)


def test_a_new_status_has_yet_to_be_sent(records: RecordStore, make_record: Make) -> None:
    record = records.begin(make_record(), resumes=False)
    records.update(record, mlflow=SENT)
    sent = records.update(record, status="FINISHED").mlflow
    assert sent is not None and not sent.complete


def test_sweeping_marks_the_dead_and_no_others(records: RecordStore, make_record: Make) -> None:
    records.begin(make_record(name="dead", process=DEAD), resumes=False)
    records.begin(make_record(name="alive"), resumes=False)
    ended = records.begin(make_record(name="ended", process=DEAD), resumes=False)
    records.update(ended, status="FINISHED")
    records.mark_dead_runs()
    result = {record.name: record for record in records.all()}
    assert {name: record.status for name, record in result.items()} == {
        "dead": "KILLED",
        "alive": "RUNNING",
        "ended": "FINISHED",
    }
    assert result["dead"].ended is not None and result["dead"].error


# -- several processes -----------------------------------------------------------------------


@pytest.mark.parametrize("action", ["begin", "import", "update", "mark", "forget"])
def test_records_are_changed_under_a_lock(
    records: RecordStore,
    make_record: Make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
) -> None:
    output = tmp_path / "output"
    output.write_text("weights")
    earlier = records.begin(make_record(process=DEAD), resumes=False)
    locked = []

    def note(original: Callable[..., Any]) -> Callable[..., Any]:
        def spy(*arguments: Any, **options: Any) -> Any:
            locked.append(is_locked(records.folder / ".lock"))
            return original(*arguments, **options)

        return spy

    for function in ("read", "_write"):
        monkeypatch.setattr(module, function, note(getattr(module, function)))
    monkeypatch.setattr(RecordStore, "_archived_path", note(RecordStore._archived_path))
    if action == "begin":
        records.begin(make_record(), resumes=True)
    elif action == "import":
        other = make_record(status="FINISHED", outputs=hashes([output]))
        assert records.import_record(other, b"", keeps=lambda own: True)
    elif action == "update":
        records.update(earlier, seconds=1.0)
    elif action == "mark":
        records.mark_dead_runs()
    else:
        records.forget_superseded(earlier)
    assert locked and all(locked)


def test_eight_processes_that_begin_the_same_work_lose_no_record(
    records: RecordStore, make_record: Make
) -> None:
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(8)
    batches = [[make_record() for _ in range(4)] for _ in range(8)]
    processes = [context.Process(target=_begin, args=(records, own, barrier)) for own in batches]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 8
    expected = {record.execution for own in batches for record in own}
    assert {record.execution for record in records.all()} == expected


def _begin(records: RecordStore, own: list[Record], barrier: Any) -> None:
    barrier.wait()
    for record in own:
        records.begin(record, resumes=False)


# -- curves ----------------------------------------------------------------------------------
