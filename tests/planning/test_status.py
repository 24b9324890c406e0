import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mdrnets.commands.command_line import run_command
from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.files import write_text
from mdrnets.planning.resources import runtime_minutes
from mdrnets.planning.status import JobStatus, job_statuses, remaining_tasks
from mdrnets.tracking.curves import append_point, curves_path
from mdrnets.tracking.provenance import Process, this_process
from mdrnets.tracking.record import FileHash, Record
from mdrnets.tracking.record_store import RecordStore
from tests.helpers.finished_run import LAYOUT, write_finished_run
from tests.helpers.project import edit_yaml

TRAINING = "train_toy one"


@pytest.fixture
def records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_record: Callable[..., Record]
) -> Iterator[RecordStore]:
    """Every job has run, each for a second."""
    monkeypatch.chdir(tmp_path)
    write_finished_run(make_record)
    return RecordStore(LAYOUT.records)


def _statuses() -> dict[str, JobStatus]:
    return {status.name: status for status in job_statuses(Pipeline(load_config()))}


def _change_record(records: RecordStore, name: str = "train_toy-one", **changes: Any) -> None:
    (record,) = (record for record in records.latest() if record.name == name)
    records.update(record, **changes)


def _stop_training(records: RecordStore, status: str, **changes: Any) -> None:
    """Change the finished training to one that has not ended well."""
    LAYOUT.model("one", "toy").unlink()
    _change_record(records, status=status, ended=None, outputs={}, **changes)


def test_a_finished_run_is_done(records: RecordStore) -> None:
    statuses = _statuses()
    assert list(statuses) == [job.name for job in Pipeline(load_config()).jobs()]
    assert {status.state for status in statuses.values()} == {"done"}
    assert {status.seconds_left for status in statuses.values()} == {0.0}
    assert remaining_tasks(list(statuses.values())) == {}


def test_outputs_without_records_are_done(records: RecordStore) -> None:
    for record in list(records.latest()):
        records.path(record.name).unlink()
    assert {status.state for status in _statuses().values()} == {"done"}


def test_what_reads_a_missing_file_is_left_too(records: RecordStore) -> None:
    LAYOUT.completions("one", "toy").unlink()
    statuses = _statuses()
    left = {name for name, status in statuses.items() if status.state == "left"}
    assert {"complete_toy one", "evaluate toy one", "table1"} <= left
    assert not {"train_toy one", "complete_toy two", "evaluate toy two"} & left
    assert statuses["evaluate toy one"].seconds_left == 1  # as its last execution
    assert set(remaining_tasks(list(statuses.values()))) == left


def test_what_read_an_earlier_version_of_its_input_is_left(records: RecordStore) -> None:
    path = str(LAYOUT.completions("one", "toy"))
    (record,) = (r for r in records.latest() if r.name == "complete_toy-one")
    again = FileHash(sha256="0" * 64, bytes=1)
    records.update(record, outputs=record.outputs | {path: again})
    statuses = _statuses()
    assert statuses["complete_toy one"].state == "done"
    assert statuses["evaluate toy one"].state == "left"


def test_a_changed_parameter_leaves_its_jobs(records: RecordStore) -> None:
    with edit_yaml("profiles/tiny.yaml") as profile:
        profile["networks"]["toy"]["steps"] = 12
    statuses = _statuses()
    assert statuses[TRAINING].state == "left"
    assert statuses[TRAINING].seconds_left is None  # it took a second with other steps
    assert statuses["train_base one"].state == "done"


def test_a_running_training_tells_how_far_it_is(records: RecordStore) -> None:
    _stop_training(records, "RUNNING", seconds=40.0)
    curves = curves_path(records.path("train_toy-one"))
    append_point(curves, 4, {"loss": 1.0})
    status = _statuses()[TRAINING]
    assert (status.state, status.group) == ("running", "train")
    assert status.progress is not None
    assert (status.progress.step, status.progress.steps) == (4, 11)
    assert status.seconds > 40
    assert status.seconds_left == pytest.approx(status.seconds * 7 / 4)
    assert _statuses()["complete_toy one"].state == "left"


def test_an_interrupted_training_goes_on_from_its_state(records: RecordStore) -> None:
    dead = Process(host=this_process().host, pid=this_process().pid, created=0.0)
    _stop_training(records, "RUNNING", process=dead, seconds=10.0)
    append_point(curves_path(records.path("train_toy-one")), 8, {"loss": 1.0})
    state = LAYOUT.states / "one" / "toy-0123abcd" / "step-0000000006.pt"
    write_text(state, "")
    state.with_stem("step-0000000008").symlink_to("removed after it was listed")
    status = _statuses()[TRAINING]
    assert status.state == "interrupted" and status.error
    assert status.progress is not None and status.progress.step == 6
    assert status.seconds_left == pytest.approx(10 * 5 / 6)
    (record,) = (r for r in records.latest() if r.name == "train_toy-one")
    assert record.status == "RUNNING"  # looking changes nothing


def test_a_failed_job_tells_why(records: RecordStore, capsys: pytest.CaptureFixture[str]) -> None:
    _stop_training(records, "FAILED", error="a.zip: broken; get it again")
    status = _statuses()[TRAINING]
    assert (status.state, status.error) == ("failed", "a.zip: broken; get it again")
    assert run_command("status", []) == 0
    text = capsys.readouterr().out
    assert "a.zip: broken; get it again" in text and TRAINING in text


def test_times_come_from_the_plan_or_from_similar_jobs_or_are_unknown(
    records: RecordStore,
) -> None:
    for record in list(records.latest()):
        if record.stage in ("train", "evaluate") and record.name != "train_toy-two":
            records.path(record.name).unlink()
    LAYOUT.model("one", "base").unlink()
    LAYOUT.model("one", "toy").unlink()
    statuses = _statuses()
    assert statuses[TRAINING].seconds_left == 1  # as on the other data set
    assert statuses["train_base one"].seconds_left is None
    assert statuses["evaluate toy one"].seconds_left is None
    request = {"runtime": runtime_minutes(3600), "mem_mb": 1, "disk_mb": 1}
    write_text(LAYOUT.plan, json.dumps({"train_base one": request}))
    assert _statuses()["train_base one"].seconds_left == pytest.approx(3600)


def test_the_command_counts_by_group_and_lists_jobs_on_demand(
    records: RecordStore, capsys: pytest.CaptureFixture[str]
) -> None:
    LAYOUT.report("table1.csv").unlink()
    assert run_command("status", []) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    groups = {line[0]: line[1:] for line in lines if line}
    assert groups["train"] == ["3", "0", "0", "0", "0"]
    assert int(groups["report"][4]) >= 1
    total = len(_statuses())
    assert sum(map(int, groups["all"][:5])) == total
    assert run_command("status", ["--jobs"]) == 0
    text = capsys.readouterr().out
    assert all(re.search(rf"^{re.escape(name)} ", text, re.M) for name in _statuses())


def test_without_any_run_everything_is_left_and_unknown(
    configs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("status", ["--profile", "smoke"]) == 0
    assert "unknown" in capsys.readouterr().out.splitlines()[0]
    assert list(configs.glob("runs")) == []
