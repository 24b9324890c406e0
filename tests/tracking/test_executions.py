import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.errors import UserError
from mdrnets.files import write_text
from mdrnets.tracking.executions import check_results, executions
from mdrnets.tracking.record import Record
from mdrnets.tracking.record_store import RecordStore
from tests.helpers.finished_run import LAYOUT, finish, write_finished_run, write_lock

Make = Callable[..., Record]


@pytest.fixture
def pipeline(configs: Path) -> Pipeline:
    """Nothing of it has run."""
    return Pipeline(load_config("smoke"))


def test_every_stage_is_found_with_its_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_record: Make
) -> None:
    monkeypatch.chdir(tmp_path)
    pipeline = write_finished_run(make_record)
    finished = executions(pipeline)
    assert [execution.job for execution in finished] == list(pipeline.jobs())
    assert all(e.record.command == e.job.command for e in finished)

    LAYOUT.report("table1.md").unlink()  # it has to run again
    rest = {execution.job.name for execution in executions(pipeline)}
    assert {execution.job.name for execution in finished} - rest == {"table1"}

    record = RecordStore(LAYOUT.records).path("masks-one")
    record.unlink()
    with pytest.raises(UserError, match=r"masks/one\.csv"):
        executions(pipeline)
    stage = pipeline.stages["masks"]
    running = finish(make_record, pipeline.job(stage, {"dataset": "one"}))
    other = running.process.model_copy(update={"created": 0.0})
    RecordStore(LAYOUT.records).update(running, status="RUNNING", process=other)
    with pytest.raises(UserError, match=r"masks/one\.csv"):
        executions(pipeline)
    RecordStore(LAYOUT.records).update(running, process=running.process)  # it asks itself
    assert "masks one" not in {execution.job.name for execution in executions(pipeline)}


def test_without_outputs_nothing_has_run(pipeline: Pipeline) -> None:
    with pytest.raises(UserError, match="runs/smoke"):
        executions(pipeline)
    write_text(pipeline.layout.check, "{}")
    with pytest.raises(UserError, match=r"check\.json"):
        executions(pipeline)


@pytest.mark.parametrize("current", [True, False])
def test_a_result_that_dvc_restored_is_current_if_todays_code_made_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_record: Make, current: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    pipeline = write_finished_run(make_record)
    job = pipeline.find("masks", ["one"])
    for path in job.outputs:
        path.write_text("of another execution\n")
    write_lock(pipeline, job, digest=job.digest if current else job.digest | {"code": "other"})
    if current:
        assert check_results(pipeline) == len(list(pipeline.jobs()))
    else:
        with pytest.raises(UserError, match=rf"^{re.escape(str(job.outputs[0]))}: .*`masks one`"):
            check_results(pipeline)
    LAYOUT.assignment("one").write_text("edited\n")
    with pytest.raises(UserError, match=rf"^{re.escape(str(LAYOUT.assignment('one')))}: "):
        check_results(pipeline)


@pytest.mark.parametrize(
    "change", ["output", "new output", "code", "parameters", "old parameter", "new parameter"]
)
def test_a_result_that_differs_from_its_record_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_record: Make, change: str
) -> None:
    monkeypatch.chdir(tmp_path)
    pipeline = write_finished_run(make_record)
    assert check_results(pipeline) == len(list(pipeline.jobs()))

    records = RecordStore(LAYOUT.records)
    (record,) = (r for r in records.latest() if r.name == "masks-one")
    key, *others = record.parameters
    changes: dict[str, Any] = {
        "output": {},
        "new output": {"outputs": {}},  # which an older version of the job did not write
        "code": {"code": {}},
        "parameters": {"parameters": record.parameters | {key: "other"}},
        "old parameter": {"parameters": record.parameters | {"params.yaml:gone": None}},
        "new parameter": {"parameters": {name: record.parameters[name] for name in others}},
    }
    records.update(record, **changes[change])
    if change == "output":
        LAYOUT.assignment("one").write_text("edited\n")
    with pytest.raises(UserError, match=re.escape(str(LAYOUT.assignment("one")))) as raised:
        check_results(pipeline)
    assert "`masks one`" in str(raised.value)
