from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.tracking import stream
from mdrnets.tracking.mlflow_store import open_store
from mdrnets.tracking.recorder import RunRecorder
from mdrnets.tracking.stream import Stream
from mdrnets.tracking.sync import sync

Begin = Callable[[], tuple[RunRecorder, Stream]]


@pytest.fixture
def begin(configs: Path, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """Begins a training that sends every point at once."""
    monkeypatch.setattr(stream, "SEND_EVERY", 0.0)
    return _begin


def _begin() -> tuple[RunRecorder, Stream]:
    pipeline = Pipeline(load_config("smoke"))
    job = replace(pipeline.find("train", ["rendered_a", "coarse"]), inputs=(), outputs=(), code=())
    recorder = RunRecorder(
        pipeline=pipeline,
        stage="train",
        wildcards={"dataset": "rendered_a", "network": "coarse"},
        job=job,
        resumes=True,
    )
    return recorder, Stream(recorder)


def _only_run() -> tuple[str, str, list[int]]:
    with open_store("smoke") as store:
        (run,) = store.client.search_runs([store.experiment])
        history = store.client.get_metric_history(run.info.run_id, "loss")
        return run.info.run_id, run.info.status, [point.step for point in history]


def test_the_curve_is_there_while_it_trains(
    database: Path, begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    recorder, follower = begin()
    for step in (1, 2):
        recorder.add_point(step, {"loss": 1.0})
        follower.offer()
    assert _only_run()[1:] == ("RUNNING", [1, 2])
    recorder.add_point(3, {"loss": 1.0})
    recorder.end(None)
    follower.close()
    assert _only_run()[1:] == ("FINISHED", [1, 2, 3])
    assert caplog.messages == []
    assert sync(recorder.records, "smoke") == 0


def test_a_resumed_training_opens_its_run_again(database: Path, begin: Begin) -> None:
    recorder, follower = begin()
    recorder.add_point(1, {"loss": 1.0})
    follower.offer()
    recorder.end(KeyboardInterrupt())
    follower.close()
    first, status, _ = _only_run()
    assert status == "KILLED"

    recorder, follower = begin()
    recorder.add_point(1, {"loss": 1.0})  # the checkpoint was older
    recorder.add_point(2, {"loss": 0.5})
    follower.offer()
    assert _only_run() == (first, "RUNNING", [1, 2])
    recorder.end(None)
    follower.close()
    assert _only_run() == (first, "FINISHED", [1, 2])


def test_a_short_training_is_left_to_the_end_of_the_workflow(
    database: Path,
    begin: Begin,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(stream, "SEND_EVERY", 60.0)
    monkeypatch.setattr(stream, "open_store", None)  # nobody may ask for it
    recorder, follower = begin()
    recorder.add_point(1, {"loss": 1.0})
    follower.offer()
    recorder.end(None)
    follower.close()
    assert caplog.messages == []
    assert sync(recorder.records, "smoke") == 1
    assert _only_run()[1:] == ("FINISHED", [1])


def test_a_problem_is_logged_once_and_stops_nothing(
    database: Path,
    begin: Begin,
    closed_port: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{closed_port}")
    recorder, follower = begin()
    for step in range(5):
        recorder.add_point(step, {"loss": 1.0})
        follower.offer()
    recorder.end(None)
    follower.close()
    (line,) = [message for message in caplog.messages if message.startswith("tracking:")]
    assert f"127.0.0.1:{closed_port}" in line and "mdrnets sync" in line

    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert sync(recorder.records, "smoke") == 1
    assert _only_run()[1:] == ("FINISHED", [0, 1, 2, 3, 4])
