from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from mdrnets.commands.command_line import run_command
from mdrnets.files import write_text
from mdrnets.files.tables import field_names, write_rows, write_table
from mdrnets.reporting.claims.finding import COLUMN, CONTRADICTED, SUPPORTED, UNTESTED, Finding
from mdrnets.reporting.tables.cells import Cell
from mdrnets.tracking.record import Record
from tests.helpers.finished_run import LAYOUT, finish, write_finished_run
from tests.helpers.project import ROOT

README = Path("README.md")
BEFORE, AFTER = "# A project\n\n", "\nMore text.\n"
HEAD, TAIL = "<!-- reference run: tiny -->\n", "<!-- end of the reference run -->\n"
VALUES = {"L1": (5.1234, 4.0), "FD(effnet-lite0)": (60.0, 40.0), "PSNR": (20.0, 22.0)}
"""Of the largest bin: ours, the paper's."""


@pytest.fixture
def reference_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_record: Callable[..., Record]
) -> None:
    """A reference run of one method, and a README with its empty block."""
    monkeypatch.chdir(tmp_path)
    pipeline = write_finished_run(make_record)
    rows = [
        [dataset, "FFHQ", "toy", metric, name, *(_cell(metric) if name == "20-40" else [""] * 8)]
        for dataset, metric, name in product(("one", "two"), (*VALUES, "SSIM"), ("1-20", "20-40"))
    ]
    for name in ("table1", "table1_extended"):
        write_table(LAYOUT.report(f"{name}.csv"), field_names(Cell), rows)
    write_rows(
        LAYOUT.report("claims.csv"),
        Finding,
        [
            Finding("best", "it is better", verdict=SUPPORTED),
            Finding("best", "it is better", verdict=CONTRADICTED),
            Finding("grows", "its lead grows", verdict=UNTESTED),
            Finding(COLUMN, "no claim", verdict=SUPPORTED),
        ],
    )
    for name in ("table1", "claims"):
        finish(make_record, pipeline.find("render", [name]))
    assert run_command("keep", []) == 0
    write_text(README, BEFORE + HEAD + "out of date\n" + TAIL + AFTER)


def _cell(metric: str) -> list[object]:
    if metric not in VALUES:
        return ["", "", "", "", "SSIM", 0.9, 0, "not run"]
    ours, paper = VALUES[metric]
    published = "FID" if metric.startswith("FD") else metric
    return [ours, ours - 1, ours + 1, 60, published, paper, int(metric == "L1"), ""]


@pytest.mark.usefixtures("reference_run")
def test_the_block_shows_the_kept_run_beside_the_paper(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command("readme", ["--check"]) == 1
    assert "out of date" in README.read_text(encoding="utf-8")  # a check changes nothing
    assert run_command("readme", []) == 0
    text = README.read_text(encoding="utf-8")
    assert (
        text.startswith(BEFORE + HEAD) and text.endswith(TAIL + AFTER) and "out of date" not in text
    )
    lines = [[cell.strip() for cell in line.split("|")] for line in text.splitlines()]
    header = next(line for line in lines if "Method" in line)
    row = next(line for line in lines if "Toy" in line)
    assert dict(zip(header, row, strict=True)) | {"": ""} == {
        "": "",
        "Method": "Toy",
        "L1 % ↓ here": "**5.123**",
        "paper": row[-2],
        "FD(effnet-lite0) ↓ here": "60.000",
        "paper: FID": "40.000",
        "PSNR dB ↑ here": "20.000",
        "SSIM ↑ here": "—",
    }
    assert (row[3], row[7], row[9]) == ("4.000", "22.000", "0.900")
    assert "60 test images, holes of 20–40 %" in text
    assert "1 are supported, 1 are contradicted, 0 are undecided, 1 are not tested here" in text
    assert "--config profile=tiny -- reproduce_all" in text
    for page in ("table1.md", "claims.md"):
        assert f"reports/reference/tiny/{page}" in text
    assert run_command("readme", ["--check"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "README.md: current"


@pytest.mark.usefixtures("reference_run")
def test_a_readme_without_a_block_says_how_to_get_one(capsys: pytest.CaptureFixture[str]) -> None:
    write_text(README, BEFORE)
    assert run_command("readme", []) == 1
    assert "README.md" in capsys.readouterr().err


@pytest.mark.usefixtures("reference_run")
@pytest.mark.parametrize("name", ["other", "an-other"])
def test_a_run_that_is_not_kept_is_named(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_text(README, f"<!-- reference run: {name} -->\n{TAIL}")
    assert run_command("readme", []) == 1
    assert f"reports/reference/{name}/run.json" in capsys.readouterr().err


def test_the_projects_own_readme_is_current(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert run_command("readme", ["--check"]) == 0, capsys.readouterr().out
