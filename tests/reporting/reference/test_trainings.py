from pathlib import Path

import pytest

from mdrnets.evaluation.summary import save_summary
from mdrnets.files.tables import read_rows
from mdrnets.layout import Layout
from mdrnets.reporting.reference.trainings import TrainingScore, write_trainings
from tests.helpers.example import make_config, make_summary


def test_each_training_has_its_own_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config, layout = make_config(), Layout("tiny")
    config = config.model_copy(update={"profile": config.profile.model_copy(update={"seeds": 2})})
    for number, name in enumerate(["pconv", "pconv@seed2"]):
        summary = make_summary("set_a", "pconv", values={"l1": 1.5 + number})
        save_summary(layout.summary("set_a", name), summary)
    write_trainings(tmp_path / "trainings.csv", config, layout)
    rows = read_rows(tmp_path / "trainings.csv", TrainingScore)
    assert {(row.dataset, row.method) for row in rows} == {("set_a", "pconv")}
    l1 = [(row.training, row.bin, row.value) for row in rows if row.metric == "L1"]
    assert l1 == [
        *((1, "1-20", 1.5), (1, "20-40", 2.5), (1, "40-60", 3.5)),
        *((2, "1-20", 2.5), (2, "20-40", 3.5), (2, "40-60", 4.5)),
    ]
