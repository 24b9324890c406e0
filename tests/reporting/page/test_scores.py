from pathlib import Path

import pytest

from mdrnets.files.tables import write_rows
from mdrnets.reporting.page import scores as module
from mdrnets.reporting.page.scores import CellView, TableView, read_scores
from mdrnets.reporting.tables.build import build_table
from mdrnets.reporting.tables.cells import Cell
from mdrnets.reporting.tables.metrics import table1_metrics
from mdrnets.reporting.tables.published import Published
from tests.helpers.example import BINS, make_config, make_summary

PUBLISHED: Published = {
    ("CelebA-HQ", "mdrnets", "L1", "1-20"): 2.5,
    ("CelebA-HQ", "mdrnets", "L1", "20-40"): 3.0,
    ("CelebA-HQ", "mdrnets", "L1", "40-60"): 3.5,
    ("CelebA-HQ", "mdrnets", "FID", "1-20"): 2.5,
    ("CelebA-HQ", "mdrnets", "PSNR", "1-20"): 30.0,
    ("CelebA-HQ", "ict", "L1", "1-20"): 1.0,
}


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[TableView]:
    """Of a run that is judged by the paper's values."""
    monkeypatch.setattr(module, "find_limits", lambda config: [])
    return read_scores(_write(tmp_path), make_config())


def _write(folder: Path) -> Path:
    config = make_config()
    table = build_table(
        table1_metrics("effnet-lite0"),
        bins=BINS,
        datasets=config.profile.datasets,
        methods={"pconv": "PConv", "ict": "ICT", "mdrnets": "MDRNets"},
        run=("pconv", "mdrnets"),
        summaries={
            ("set_a", "pconv"): make_summary("set_a", "pconv"),
            # L1 2, 3, 4 by bin; PSNR 31, 32, 33
            ("set_a", "mdrnets"): make_summary(
                "set_a", "mdrnets", values={"l1": 2.0, "psnr": 31.0}
            ),
        },
        published=PUBLISHED,
    )
    write_rows(folder / "table1.csv", Cell, table.cells)
    return folder / "table1.csv"


def _cells(tables: list[TableView]) -> list[CellView]:
    return list(tables[0].rows[2].cells)


def test_a_table_has_the_order_of_the_file(tables: list[TableView]) -> None:
    assert [table.dataset for table in tables] == ["set_a", "set_b"]
    assert tables[0].metrics == ["L1 % ↓", "FD(effnet-lite0) ↓", "PSNR dB ↑", "SSIM ↑"]
    assert tables[0].bins == ["1–20 %", "20–40 %", "40–60 %"]
    assert [row.title for row in tables[0].rows] == ["PConv", "ICT", "MDRNets"]


def test_differences_are_judged_by_the_direction_of_the_metric(tables: list[TableView]) -> None:
    lower, equal, higher = _cells(tables)[:3]
    assert (lower.difference, lower.judgement) == ("−0.500", "better")
    assert (equal.difference, equal.judgement) == ("+0.000", "equal")
    assert (higher.difference, higher.judgement) == ("+0.500", "worse")
    assert (_cells(tables)[6].difference, _cells(tables)[6].judgement) == ("+1.000", "better")


def test_a_run_that_cannot_decide_is_not_judged(tmp_path: Path) -> None:
    cells = _cells(read_scores(_write(tmp_path), make_config()))
    assert {(cell.difference, cell.judgement) for cell in cells[:3]} == {
        ("−0.500", "differs"),
        ("+0.000", "differs"),
        ("+0.500", "differs"),
    }


def test_another_metric_has_no_difference(tables: list[TableView]) -> None:
    distance = _cells(tables)[3]
    assert (distance.paper, distance.difference, distance.judgement) == ("FID 2.500", "—", "")


def test_blank_rows_say_why(tables: list[TableView]) -> None:
    assert [row.missing for row in tables[0].rows] == ["", "not run in this profile", ""]
    assert tables[1].rows[2].missing == "not run"
    assert tables[0].comparable and not tables[1].comparable
    assert tables[0].published


def test_a_cell_tells_all_of_it_in_a_sentence(tables: list[TableView]) -> None:
    assert _cells(tables)[0].about == (
        "MDRNets on Rendered faces A, holes of 1–20 %: L1 2.000 ± 0.200 %, interval 1.900 to 2.300 "
        "over 60 completed images. The paper, on CelebA-HQ: L1 2.500. Lower is better."
    )
