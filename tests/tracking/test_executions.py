from collections.abc import Callable
from pathlib import Path

import pytest

from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.errors import UserError
from mdrnets.files import write_text
from mdrnets.tracking.executions import executions
from mdrnets.tracking.record import Record, RecordStore
from tests.helpers.finished_run import LAYOUT, finish, write_finished_run

Make = Callable[..., Record]


@pytest.fixture
def pipeline(shipped: Path) -> Pipeline:
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
    assert {e.stage.name for e in finished} - {e.stage.name for e in executions(pipeline)} == {
        "table1"
    }

    record = RecordStore(LAYOUT.records).path("masks-one")
    record.unlink()
    with pytest.raises(UserError, match=r"masks/one\.csv"):
        executions(pipeline)
    stage = pipeline.stages["masks"]
    running = finish(make_record, stage, pipeline.job(stage, {"dataset": "one"}))
    RecordStore(LAYOUT.records).update(running, status="RUNNING")
    with pytest.raises(UserError, match=r"masks/one\.csv"):
        executions(pipeline)


def test_without_outputs_nothing_has_run(pipeline: Pipeline) -> None:
    with pytest.raises(UserError, match="runs/smoke"):
        executions(pipeline)
    write_text(pipeline.layout.check, "{}")
    with pytest.raises(UserError, match=r"check\.json"):
        executions(pipeline)
