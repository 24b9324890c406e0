from collections.abc import Callable
from pathlib import Path

import pytest

from mdrnets.commands.command_line import run_command
from mdrnets.files import write_text
from mdrnets.files.tables import field_names, write_table
from mdrnets.reporting.tables.cells import Cell
from mdrnets.tracking.record import Record
from tests.helpers.finished_run import LAYOUT, write_finished_run

WIDTH = 100  # of a terminal


@pytest.fixture
def finished_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_record: Callable[..., Record]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_finished_run(make_record)
    metrics = {"L1": "L1", "FD(effnet-lite0)": "FID", "PSNR": "PSNR", "SSIM": "SSIM"}
    rows = [
        [dataset, "FFHQ", "toy", metric, name, 123.456, 1, 200, 60, published, 99.876, 1, ""]
        for dataset in ("one", "two")
        for metric, published in metrics.items()
        for name in ("1-20", "20-40")
    ]
    write_table(LAYOUT.report("table1.csv"), field_names(Cell), rows)
    for name in ("table1.md", "table1.tex", "table1_extended.csv", "table1_extended.md"):
        write_text(LAYOUT.report(name), "")
    write_text(LAYOUT.report("table1_extended.tex"), "")
    write_text(LAYOUT.metrics, "{}")


@pytest.mark.usefixtures("finished_run")
def test_table_files_and_what_is_missing_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    LAYOUT.report("claims.csv").unlink(missing_ok=True)
    assert run_command("results", []) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert len([line for line in lines if line.startswith("Toy") and "99.876" in line]) == 2
    assert max(len(line) for line in lines if line.startswith(("Toy", "Method", "--"))) <= WIDTH
    assert "This run cannot decide the paper's claims" in out
    assert str(LAYOUT.report("table1.md")) in out
    (missing,) = (line for line in lines if line.startswith("Not made: "))
    assert "claims" in missing and "profile=tiny" in missing and "table1" not in missing


@pytest.mark.usefixtures("finished_run")
def test_the_page_is_named_first(capsys: pytest.CaptureFixture[str]) -> None:
    write_text(LAYOUT.report("index.html"), "")
    assert run_command("results", ["--files"]) == 0
    first, *others = capsys.readouterr().out.splitlines()
    assert str(LAYOUT.report("index.html")) in first
    assert not any("Toy" in line for line in others)


@pytest.mark.usefixtures("finished_run")
@pytest.mark.parametrize(("before", "after"), [("FD(effnet-lite0)", "FID"), ("two,", "three,")])
def test_a_table_of_another_configuration_is_refused(
    before: str, after: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = LAYOUT.report("table1.csv")
    write_text(path, path.read_text(encoding="utf-8").replace(before, after))
    assert run_command("results", []) == 1
    assert str(path) in capsys.readouterr().err
