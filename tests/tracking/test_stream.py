from collections.abc import Callable
from pathlib import Path

import pytest

from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Job
from mdrnets.tracking import stream
from mdrnets.tracking.recorder import RunRecorder
from mdrnets.tracking.store import open_store
from mdrnets.tracking.stream import Stream
from mdrnets.tracking.sync import sync

Begin = Callable[[], tuple[RunRecorder, Stream, list[str]]]


@pytest.fixture
def begin(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """Begins a training that sends every point at once; returns what it says, too."""
    monkeypatch.setattr(stream, "SEND_EVERY", 0.0)
    return _begin


def _begin() -> tuple[RunRecorder, Stream, list[str]]:
    job = Job("train_pconv one", "python -m stages.train one pconv", (), (), (), {}, gpus=0)
    journal = RunRecorder(
        config=load_config("smoke"),
        stage="train",
        wildcards={"dataset": "one", "network": "pconv"},
        job=job,
        resumes=True,
    )
    said: list[str] = []
    return journal, Stream(journal, say=said.append), said


def _only_run() -> tuple[str, str, list[int]]:
    with open_store("smoke") as store:
        (run,) = store.client.search_runs([store.experiment])
        history = store.client.get_metric_history(run.info.run_id, "loss")
        return run.info.run_id, run.info.status, [point.step for point in history]


def test_the_curve_is_there_while_it_trains(database: Path, begin: Begin) -> None:
    journal, following, said = begin()
    for step in (1, 2):
        journal.add_point(step, {"loss": 1.0})
        following.offer()
    assert _only_run()[1:] == ("RUNNING", [1, 2])
    journal.add_point(3, {"loss": 1.0})
    journal.end(None)
    following.close()
    assert _only_run()[1:] == ("FINISHED", [1, 2, 3])
    assert said == []
    assert sync(journal.records, "smoke") == 0


def test_a_resumed_training_opens_its_run_again(database: Path, begin: Begin) -> None:
    journal, following, _ = begin()
    journal.add_point(1, {"loss": 1.0})
    following.offer()
    journal.end(KeyboardInterrupt())
    following.close()
    first, status, _ = _only_run()
    assert status == "KILLED"

    journal, following, _ = begin()
    journal.add_point(1, {"loss": 1.0})  # the checkpoint was older
    journal.add_point(2, {"loss": 0.5})
    following.offer()
    assert _only_run() == (first, "RUNNING", [1, 2])
    journal.end(None)
    following.close()
    assert _only_run() == (first, "FINISHED", [1, 2])


def test_a_short_training_is_left_to_the_end_of_the_workflow(
    database: Path, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "SEND_EVERY", 60.0)
    monkeypatch.setattr(stream, "open_store", None)  # nobody may ask for it
    journal, following, said = begin()
    journal.add_point(1, {"loss": 1.0})
    following.offer()
    journal.end(None)
    following.close()
    assert said == []
    assert sync(journal.records, "smoke") == 1
    assert _only_run()[1:] == ("FINISHED", [1])


def test_trouble_is_told_once_and_costs_nothing(
    database: Path, begin: Begin, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{closed_port}")
    journal, following, said = begin()
    for step in range(5):
        journal.add_point(step, {"loss": 1.0})
        following.offer()
    journal.end(None)
    following.close()
    (line,) = said
    assert f"127.0.0.1:{closed_port}" in line and "mdrnets sync" in line

    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert sync(journal.records, "smoke") == 1
    assert _only_run()[1:] == ("FINISHED", [0, 1, 2, 3, 4])
