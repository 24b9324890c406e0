from pathlib import Path

import pytest

from mdrnets.errors import UserError
from mdrnets.files.tables import (
    field_names,
    read_header,
    read_rows,
    read_table,
    write_rows,
    write_table,
)
from mdrnets.reporting.claims.finding import BEST, SUPPORTED, Finding
from mdrnets.reporting.tables.build import build_table
from mdrnets.reporting.tables.cells import Cell
from mdrnets.reporting.tables.metrics import table1_metrics
from mdrnets.reporting.tables.published import load_published
from tests.helpers.example import BINS, make_config, make_summary


def test_a_table_is_read_as_it_was_written(tmp_path) -> None:
    path = tmp_path / "splits" / "faces.csv"
    write_table(path, ("id", "ratio"), [("00012", 0.1 + 0.2), ("é, “x”", 1 / 3)])
    assert path.read_bytes().startswith(b"id,ratio\n00012,0.30000000000000004\n")
    rows = read_table(path, ("id", "ratio"))
    assert [row["id"] for row in rows] == ["00012", "é, “x”"]
    assert [float(row["ratio"]) for row in rows] == [0.1 + 0.2, 1 / 3]


def test_another_table_is_named(tmp_path) -> None:
    path = tmp_path / "faces.csv"
    path.write_text("")
    with pytest.raises(UserError, match=r"faces\.csv: .* id;"):
        read_table(path, ("id",))
    path.write_text("id,name\n1,a\n")
    with pytest.raises(UserError, match=r"id, name.*id, role"):
        read_table(path, ("id", "role"))
    for row in ("1", "1,a,b"):
        path.write_text(f"id,role\n{row}\n")
        with pytest.raises(UserError, match=r"faces\.csv: "):
            read_table(path, ("id", "role"))


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
    write_rows(path, Cell, table.cells)
    assert read_header(path) == field_names(Cell)
    assert tuple(read_rows(path, Cell)) == table.cells


def test_findings_come_back_as_they_were(tmp_path: Path) -> None:
    findings = [
        Finding(BEST, "better", "one", metric="L1", bin="1-20", verdict=SUPPORTED, here=-0.5, n=7),
        Finding(BEST, "better, too", reason="not tested"),
    ]
    write_rows(tmp_path / "claims.csv", Finding, findings)
    assert read_rows(tmp_path / "claims.csv", Finding) == findings


def test_other_columns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"table\.csv"):
        read_rows(tmp_path / "table.csv", Cell)
