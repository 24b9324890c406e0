"""A profile with `seeds: 2`: each method is trained twice, what it builds on once."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Job, Pipeline
from mdrnets.evaluation.summary import save_summary
from mdrnets.files import sha256
from stages import complete, render, train
from tests.helpers.example import make_summary
from tests.helpers.project import LAYOUT, ROOT, edit_yaml, write_configuration, write_data

AGAIN = "toy@seed2"


@pytest.fixture
def project(
    process_state: None, no_sync: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    write_configuration(tmp_path)
    return tmp_path


def _set_seeds(count: int) -> None:
    with edit_yaml("profiles/tiny.yaml") as profile:
        profile["seeds"] = count


def _jobs_by_name() -> dict[str, Job]:
    return {job.name: job for job in Pipeline(load_config()).jobs()}


def test_more_seeds_add_stages_and_leave_the_others_as_they_are(project: Path) -> None:
    before = _jobs_by_name()
    _set_seeds(1)
    assert _jobs_by_name().keys() == before.keys()
    _set_seeds(2)
    after = _jobs_by_name()
    assert after.keys() - before.keys() == {
        f"{stage}_toy_further 2 {dataset}"
        for stage in ("train", "complete", "validate", "evaluate")
        for dataset in ("one", "two")
    }
    assert LAYOUT.summary("two", AGAIN) in after["table1"].inputs
    assert LAYOUT.features("two", AGAIN) in after["claims"].inputs
    whole = {"check", "table1", "claims", "report"}  # these read the whole profile
    assert {name for name in before if after[name] != before[name]} == whole


def test_each_training_has_its_own_seed_and_samples(project: Path) -> None:
    write_data(project)
    for arguments in (["one", "base"], ["one", "toy"]):
        assert train.main(arguments) == 0
    once = sha256(LAYOUT.model("one", "toy"))
    _set_seeds(2)
    for name in ("toy", AGAIN):
        assert train.main(["one", name]) == 0
        assert complete.main(["one", name]) == 0
    assert sha256(LAYOUT.model("one", "toy")) == once
    assert sha256(LAYOUT.model("one", AGAIN)) != once
    seeds = [
        json.loads(LAYOUT.model_config("one", name).read_text())["seed"] for name in ("toy", AGAIN)
    ]
    assert seeds == [2204, 2205]
    first, second = (np.load(LAYOUT.completions("one", name)) for name in ("toy", AGAIN))
    assert first.shape == second.shape and (first != second).any()


def test_the_table_shows_mean_and_spread(project: Path) -> None:
    _set_seeds(2)
    published = project / "reports/published/table1.csv"
    published.parent.mkdir(parents=True)
    published.write_bytes((ROOT / "reports/published/table1.csv").read_bytes())
    with edit_yaml("params.yaml") as params:
        params["bins"] = {"1-20": [1, 2], "20-40": [3, 4], "40-60": [5, 6]}
    save_summary(LAYOUT.summary("one", "toy"), make_summary("one", "toy", values={"l1": 2}))
    save_summary(LAYOUT.summary("one", AGAIN), make_summary("one", AGAIN, values={"l1": 4}))
    save_summary(LAYOUT.summary("two", "toy"), make_summary("two", "toy"))  # one is missing

    assert render.main(["table1"]) == 0
    with LAYOUT.report("table1.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    cell = next(r for r in rows if (r["dataset"], r["metric"], r["bin"]) == ("one", "L1", "1-20"))
    assert (float(cell["value"]), int(cell["n"])) == (3, 120)
    assert float(cell["high"]) - 3 == pytest.approx(np.std([2, 4], ddof=1))
    assert {r["reason"] for r in rows if (r["dataset"], r["method"]) == ("two", "toy")} == {
        "not run"
    }
    page = LAYOUT.report("table1.md").read_text(encoding="utf-8")
    assert "3.000 ± 1.414" in page
    assert "2204 to 2205" in page
