"""What the page says of the reference run."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mdrnets.dag.pipeline import Pipeline
from mdrnets.reporting.page.reference import read_reference
from mdrnets.tracking.record import Record
from tests.helpers.finished_run import (
    REFERENCE,
    VALUES,
    finish_table1,
    write_reference_run,
    write_table1,
)


@pytest.fixture
def pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_record: Callable[..., Record]
) -> Pipeline:
    """A finished run, kept."""
    monkeypatch.chdir(tmp_path)
    return write_reference_run(make_record)


def test_the_same_run_is_inside_the_tolerances(pipeline: Pipeline) -> None:
    view = read_reference(pipeline)
    assert not view.problem and not view.failed
    assert {title: len(rows) for title, rows in view.others} == {
        "Table 1, Noise": len(VALUES),
        "Table 1, extended, Noise": len(VALUES),
    }
    assert f"{2 * len(VALUES)} of {2 * len(VALUES)} cells" in view.counts
    for _, rows in view.others:
        assert all(dict(zip(view.columns_of_others, row, strict=True))["method"] for row in rows)
        assert {row[0] for row in rows} == {"toy"}


def test_a_cell_outside_comes_first(pipeline: Pipeline, make_record: Callable[..., Record]) -> None:
    write_table1(VALUES | {("L1", "1-20"): 9.0})
    finish_table1(make_record, pipeline)
    view = read_reference(pipeline)
    (row,) = view.failed
    assert f"{2 * len(VALUES) - 1} of {2 * len(VALUES)} cells" in view.counts
    assert "1 outside" in view.counts
    assert row[:5] == ["table1", "one", "toy", "L1", "1-20"] and row[-1] == "outside"


def test_without_a_comparison_the_reason_is_given(pipeline: Pipeline) -> None:
    (REFERENCE / "table1.csv").write_text("edited")
    assert str(REFERENCE / "table1.csv") in read_reference(pipeline).problem
    shutil.rmtree(REFERENCE)
    assert str(REFERENCE / "run.json") in read_reference(pipeline).problem
