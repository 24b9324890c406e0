from pathlib import Path

import pytest

from mdrnets.errors import UserError
from mdrnets.files.tables import field_names, read_header, read_rows
from mdrnets.reporting.claims.finding import BEST, SUPPORTED, Finding
from mdrnets.reporting.claims.markdown import write_findings
from mdrnets.reporting.tables.build import build_table
from mdrnets.reporting.tables.cells import Cell, write_cells
from mdrnets.reporting.tables.metrics import table1_metrics
from mdrnets.reporting.tables.published import load_published
from tests.helpers.example import BINS, make_config, make_summary


def test_cells_come_back_as_they_were(tmp_path: Path) -> None:
    profile = make_config().profile
    table = build_table(
        table1_metrics(profile.frechet),
        bins=BINS,
        datasets=profile.datasets,
        methods={"pconv": "PConv", "mdrnets": "MDRNets"},
        run=("pconv", "mdrnets"),
        summaries={("set_a", "mdrnets"): make_summary("set_a", "mdrnets")},
        published=load_published(),
    )
    path = tmp_path / "table.csv"
    write_cells(path, table)
    assert read_header(path) == field_names(Cell)
    assert tuple(read_rows(path, Cell)) == table.cells


def test_findings_come_back_as_they_were(tmp_path: Path) -> None:
    findings = [
        Finding(BEST, "better", "one", metric="L1", bin="1-20", verdict=SUPPORTED, here=-0.5, n=7),
        Finding(BEST, "better, too", reason="not tested"),
    ]
    write_findings(tmp_path / "claims.csv", findings)
    assert read_rows(tmp_path / "claims.csv", Finding) == findings


def test_other_columns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"table\.csv"):
        read_rows(tmp_path / "table.csv", Cell)
