import shutil
from pathlib import Path

import pytest

from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.files import write_text
from mdrnets.files.tables import read_table
from mdrnets.reporting.tables.costs import read_costs
from stages.render import main
from tests.helpers.project import LAYOUT


@pytest.fixture
def project(page_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the finished run."""
    folder = tmp_path / "copy"
    shutil.copytree(page_path.parents[2], folder)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(
        "mdrnets.exchange.logged_models.send_all", lambda config: None
    )  # tracking has its tests
    return folder


def test_the_page_comes_after_every_other_stage_of_the_report(project: Path) -> None:
    pipeline = Pipeline(load_config())
    *others, page = [stage for stage in pipeline.stages.values() if stage.group == "report"]
    assert page.outputs == (LAYOUT.report("index.html"),)
    assert all(set(stage.outputs) & set(page.inputs) for stage in others)


def test_costs_are_those_of_all_trainings(project: Path) -> None:
    write_text(LAYOUT.report("costs.csv"), "of Table 1, before the variants were trained\n")
    assert main(["report"]) == 0
    costs = read_costs(load_config(), LAYOUT)
    assert costs is not None
    assert len(read_table(LAYOUT.report("costs.csv"))) == len(costs.rows)


def test_restored_results_have_a_page_without_runs(project: Path) -> None:
    shutil.rmtree(LAYOUT.records)
    assert main(["report"]) == 0
    page = LAYOUT.report("index.html").read_text(encoding="utf-8")
    assert "id-of-" not in page
    assert "No record on this machine" in page
    assert "No training has a record on this machine" in page


@pytest.mark.parametrize("name", ["claims.csv", "figure5.png"])
def test_a_missing_output_is_named(
    project: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    LAYOUT.report(name).unlink()
    before = LAYOUT.report("index.html").read_bytes()
    assert main(["report"]) == 1
    assert f"reports/tiny/{name}" in capsys.readouterr().err
    assert LAYOUT.report("index.html").read_bytes() == before
