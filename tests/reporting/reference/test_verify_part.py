"""`mdrnets verify --part`: the rows that have scores here, whether tables are rendered or not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mdrnets.commands.command_line import run_command
from mdrnets.dag.pipeline import Pipeline
from mdrnets.files import write_text
from mdrnets.files.tables import write_rows
from mdrnets.reporting.tables.cells import Cell
from mdrnets.reporting.tables.summaries import read_summaries
from mdrnets.reporting.tables.table1 import build_tables
from mdrnets.tracking.record import Record
from tests.helpers.example import make_summary
from tests.helpers.finished_run import LAYOUT, finish, write_finished_run

Make = Callable[..., Record]


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_record: Make) -> Pipeline:
    """A kept run of two data sets, of which only the scores of the first are still here."""
    monkeypatch.chdir(tmp_path)
    pipeline = write_finished_run(make_record)
    for dataset in ("one", "two"):
        _score(make_record, pipeline, dataset, l1=1.0)
    config = pipeline.config
    summaries = read_summaries(config, LAYOUT, datasets=["one", "two"], methods=["toy"])
    for name, table in build_tables(config, summaries).items():
        write_rows(LAYOUT.report(f"{name}.csv"), Cell, table.cells)
    for job in pipeline.jobs():
        if job.stage.group == "report":
            finish(make_record, job)
    assert run_command("keep", []) == 0
    LAYOUT.summary("two", "toy").unlink()
    LAYOUT.report("table1.csv").unlink()
    return pipeline


def _score(make_record: Make, pipeline: Pipeline, dataset: str, *, l1: float) -> None:
    _write_summary(dataset, l1=l1)
    finish(make_record, pipeline.find("evaluate", [dataset, "toy"]))


def _write_summary(dataset: str, *, l1: float) -> None:
    summary = make_summary(dataset, "toy", values={"l1": l1}, bins=("1-20", "20-40"))
    write_text(LAYOUT.summary(dataset, "toy"), summary.model_dump_json())


def test_the_rest_is_not_missed(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command("verify", ["--part"]) == 0
    printed = capsys.readouterr().out
    assert "inside" in printed and "missing" not in printed
    assert run_command("verify", []) == 1
    page = LAYOUT.report("verify.md").read_text(encoding="utf-8")
    assert "one" in page and "| two" not in page
    files = next(line for line in page.splitlines() if line.startswith("- **Files**"))
    words = files.split()
    assert words[2] == words[5]  # `N of the N files`


def test_other_scores_are_outside(
    pipeline: Pipeline, make_record: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    _score(make_record, pipeline, "one", l1=1.01)
    assert run_command("verify", ["--part"]) == 1
    assert "outside" in capsys.readouterr().out


def test_edited_scores_are_named(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    _write_summary("one", l1=0.9)
    assert run_command("verify", ["--part"]) == 1
    assert f"{LAYOUT.summary('one', 'toy')}: changed after job" in capsys.readouterr().err


def test_without_scores_it_says_what_makes_them(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    LAYOUT.summary("one", "toy").unlink()
    assert run_command("verify", ["--part"]) == 1
    assert str(LAYOUT.summary("one", "toy")) in capsys.readouterr().err
