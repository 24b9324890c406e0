import re

import pytest

from mdrnets.reporting.tables.cells import Table
from mdrnets.reporting.tables.markdown import to_markdown
from mdrnets.reporting.tables.metrics import extended_metrics, table1_metrics
from tests.helpers.example import build_example_table


def _table(*, extended: bool = False) -> Table:
    return build_example_table(
        extended_metrics("effnet-lite0") if extended else table1_metrics("effnet-lite0")
    )


def _page(table: Table) -> str:
    return to_markdown(
        table,
        title="Table 1",
        facts=[("Seed", "2204")],
        legend="here: ours.",
        notes=["It is not FID."],
    )


@pytest.fixture
def page() -> str:
    return _page(_table())


def _rows(page: str) -> list[list[str]]:
    """The cells of all lines of tables."""
    lines = [line for line in page.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_there_is_one_table_a_data_set_with_the_papers_columns(page: str) -> None:
    assert "## Rendered faces A, beside the paper's CelebA-HQ" in page
    assert "## Rendered faces B, beside the paper's FFHQ" in page
    rows = _rows(page)
    assert {len(row) for row in rows} == {2 + 4 * 3}
    header = rows[0]
    assert header[2:5] == ["L1 % ↓<br>1–20 %", "20–40 %", "40–60 %"]
    assert [header[i].split("<br>")[0] for i in (5, 8, 11)] == [
        "FD(effnet-lite0) ↓",
        "PSNR dB ↑",
        "SSIM ↑",
    ]


def test_our_row_stands_above_the_papers(page: str) -> None:
    pconv, paper = _rows(page)[2:4]
    assert pconv[:4] == ["PConv", "here", "**1.000 ± 0.200**", "**2.000 ± 0.200**"]
    assert paper[:4] == ["", "paper", "1.131", "2.311"]
    assert paper[5] == "FID 12.716"
    assert paper[8] == "32.240"


def test_blanks_say_why(page: str) -> None:
    ict = next(row for row in _rows(page) if row[0] == "ICT")
    assert ict[1] == "here: not run in this profile"
    assert set(ict[2:]) == {"—"}
    assert sum(row[1] == "here: not run" for row in _rows(page)) == 2  # both methods on set_b


def test_what_made_it_stands_above_and_what_limits_it_below(page: str) -> None:
    lines = page.splitlines()
    assert lines[0] == "# Table 1"
    assert "- **Seed**: 2204" in lines
    assert lines[-1] == "- It is not FID."
    assert (
        "First here: PConv in 12 of 12 columns, MDRNets in 9. In the paper: MDRNets in 12 of"
        in page
    )


def test_no_other_distance_is_called_fid(page: str) -> None:
    for row in _rows(page):
        for cell in row:
            assert not re.match(r"FID(?! \d+\.\d{3}$)", cell)
    assert sum(cell.startswith("FID ") for row in _rows(page) for cell in row) == 2 * 3 * 3


def test_without_published_values_there_is_no_paper_row() -> None:
    page = _page(_table(extended=True))
    assert all(row[1] != "paper" for row in _rows(page))
    assert "KD(effnet-lite0) ↓" in page
