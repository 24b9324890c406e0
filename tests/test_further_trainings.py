from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.further_trainings import FurtherTraining, save_trainings, scored_trainings
from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.errors import UserError
from mdrnets.evaluation.summary import save_summary
from mdrnets.files.tables import read_rows
from mdrnets.tracking.record import Record
from tests.helpers.example import make_summary
from tests.helpers.finished_run import LAYOUT, finish, write_finished_run
from tests.helpers.project import edit_yaml

Make = Callable[..., Record]
SECOND = "toy@seed2"


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_record: Make) -> Pipeline:
    """A run of two trainings, of which only the second is scored, on the first data set."""
    monkeypatch.chdir(tmp_path)
    write_finished_run(make_record)
    with edit_yaml("profiles/tiny.yaml") as profile:
        profile["seeds"] = 2
    pipeline = Pipeline(load_config())
    for dataset in ("one", "two"):
        LAYOUT.summary(dataset, "toy").unlink()
    for program in ("train", "complete", "evaluate"):
        job = pipeline.find(program, ["one", SECOND])
        for path in job.outputs:
            path.write_text(f"{path}\n", encoding="utf-8")
        if program == "evaluate":
            _write_score(1.5)
        finish(make_record, job)
    return pipeline


def _write_score(l1: float) -> None:
    summary = make_summary("one", "toy", values={"l1": l1}, bins=("1-20", "20-40"))
    save_summary(LAYOUT.summary("one", SECOND), summary)


def test_scores_come_with_the_weights_that_made_them(pipeline: Pipeline) -> None:
    l1 = [score for score in scored_trainings(pipeline) if score.metric == "L1"]
    trained = pipeline.find("train", ["one", SECOND])
    record = LAYOUT.records / f"{trained.name.replace(' ', '-')}.json"
    assert [(score.training, score.bin, score.value) for score in l1] == [
        (2, "1-20", 1.5),
        (2, "20-40", 2.5),
    ]
    assert {score.weights in record.read_text(encoding="utf-8") for score in l1} == {True}


def test_edited_scores_are_refused(pipeline: Pipeline) -> None:
    _write_score(0.5)
    with pytest.raises(UserError, match="changed after job"):
        scored_trainings(pipeline)


def test_a_training_that_is_saved_again_replaces_itself_alone(tmp_path: Path) -> None:
    path = tmp_path / "further_trainings.csv"
    second = FurtherTraining("one", "toy", 2, "L1", "1-20", 1.5, "tiny", "0123456789ab", "5eed")
    third = replace(second, training=3, value=1.6)
    save_trainings([second, third], path)
    again = replace(second, value=1.4)
    save_trainings([again], path)
    assert read_rows(path, FurtherTraining) == [third, again]
