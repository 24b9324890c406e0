from dataclasses import replace
from pathlib import Path

import pytest

from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Job, Pipeline
from mdrnets.errors import UserError
from mdrnets.tracking.curves import read_points
from mdrnets.tracking.record import read
from mdrnets.tracking.recorder import RunRecorder


@pytest.fixture
def job(configs: Path) -> Job:
    Path("input").write_text("abc")
    Path("code.py").write_text("x = 1\n")
    return replace(
        Pipeline(load_config("smoke")).find("train", ["rendered_a", "coarse"]),
        inputs=(Path("input"),),
        code=(Path("code.py"),),
        outputs=(Path("output"),),
        parameters={"params.yaml:seed": 7},
    )


def _begin(job: Job) -> RunRecorder:
    return RunRecorder(
        pipeline=Pipeline(load_config("smoke")),
        stage="train",
        wildcards={"dataset": "rendered_a", "network": "coarse"},
        job=job,
        resumes=True,
    )


def test_a_running_execution_has_a_record(job: Job) -> None:
    _begin(job)
    record = read(Path("runs/smoke/records/train-rendered_a-coarse.json"))
    assert record is not None
    assert record.status == "RUNNING" and record.ended is None
    assert not record.process.is_gone()
    assert record.parameters == {"params.yaml:seed": 7}
    assert record.inputs.keys() == {"input"} and record.code.keys() == {"code.py"}


def test_the_end_adds_outputs_and_measurements(job: Job) -> None:
    recorder = _begin(job)
    Path("output").write_text("abcd")
    recorder.note("images_per_second", 12.5)
    recorder.end(None)
    record = read(recorder.records.path("train-rendered_a-coarse"))
    assert record == recorder.record
    assert record.status == "FINISHED" and record.error is None
    assert record.outputs["output"].bytes == 4
    assert record.measurements == {"images_per_second": 12.5}
    assert record.peak_memory is not None and 10_000_000 < record.peak_memory < 10**11
    assert record.ended is not None and record.ended >= record.started


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (UserError("a.zip: broken"), "FAILED", "a.zip: broken"),
        (ZeroDivisionError("by zero"), "FAILED", "ZeroDivisionError: by zero"),
        (KeyboardInterrupt(), "KILLED", "Ctrl-C"),
        (SystemExit(143), "KILLED", "ended by a signal, exit code 143"),
    ],
)
def test_the_end_tells_what_went_wrong(
    job: Job, error: BaseException, status: str, sentence: str
) -> None:
    recorder = _begin(job)
    Path("output").write_text("of an earlier execution")
    recorder.end(error)
    assert (recorder.record.status, recorder.record.error) == (status, sentence)
    assert recorder.record.outputs == {}


def test_a_resumed_training_repeats_no_point(job: Job) -> None:
    first = _begin(job)
    for step in (1, 2, 3):
        first.add_point(step, {"loss": float(step)})
    first.end(KeyboardInterrupt())

    second = _begin(job)
    for step in (2, 3, 4):  # from the checkpoint at step 1 on
        second.add_point(step, {"loss": float(step)})
    assert [point["step"] for point in read_points(second.curves)[0]] == [1, 2, 3, 4]
    second.end(None)
    assert second.record.seconds > first.record.seconds
