from pathlib import Path

import numpy as np
import pytest

from mdrnets.config import load_config
from mdrnets.dag.report import shown_method
from mdrnets.data.assignment import read_assignment
from mdrnets.evaluation import Score, write_scores
from mdrnets.files import write_text
from mdrnets.pipeline import Pipeline
from stages.render import main
from tests.training.project import LAYOUT, ROOT, SIZE, write_configuration, write_data

FIGURES = ("figure1", "figure5", "curves", "metric_by_ratio", "error_map")
HISTORY = "phase,step,l1,adversarial\ntrain,4,1.0,0.5\ntrain,8,0.5,0.5\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run of one method on two data sets of noise."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("stages.command.sync", lambda *arguments: None)  # tracking has its tests
    write_configuration(tmp_path)
    write_data(tmp_path)
    write_text(LAYOUT.history("one", "base"), HISTORY)
    generator = np.random.default_rng(2)
    for dataset in ("one", "two"):
        write_text(LAYOUT.history(dataset, "toy"), HISTORY)
        completions = generator.integers(0, 256, (2, 5, SIZE, SIZE, 3), dtype=np.uint8)
        path = LAYOUT.completions(dataset, "toy")
        path.parent.mkdir(parents=True)
        np.save(path, completions)
        pairs = read_assignment(LAYOUT.assignment(dataset))
        scores = [
            Score(pair.image, pair.bin, pair.hole, pair.ratio, 1.0, 20.0, 0.8, *[0.0] * 5)
            for pair in pairs
        ]
        write_scores(LAYOUT.scores(dataset, "toy"), scores)
    return tmp_path


def _files(name: str) -> list[Path]:
    return [LAYOUT.report(f"{name}.{kind}") for kind in ("png", "pdf")]


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_written_twice_with_the_same_bytes(project: Path, name: str) -> None:
    contents = []
    for _ in range(2):
        assert main([name]) == 0
        contents.append([path.read_bytes() for path in _files(name)])
    assert contents[0] == contents[1]
    png, pdf = contents[0]
    assert png.startswith(b"\x89PNG") and pdf.startswith(b"%PDF")
    assert sorted(LAYOUT.reports.iterdir()) == sorted(_files(name))
    assert str(project).encode() not in png + pdf


@pytest.mark.parametrize("name", FIGURES)
def test_every_missing_input_is_named(
    project: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline = Pipeline(load_config())
    inputs = [path for path in pipeline.stages[name].inputs if path != LAYOUT.setup]
    assert inputs
    for path in inputs:
        hidden = path.rename(path.with_suffix(".hidden"))
        assert main([name]) == 1, path
        assert f"error: {path}:" in capsys.readouterr().err
        hidden.rename(path)
    assert not LAYOUT.reports.exists()


def test_completions_of_other_images_are_refused(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(LAYOUT.completions("two", "toy"), np.zeros((2, 4, SIZE, SIZE, 3), dtype=np.uint8))
    assert main(["figure5"]) == 1
    assert "completions/two/toy.npy: expected uint8 of 2×5×32×32×3" in capsys.readouterr().err


def test_figures_are_stages_without_variants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    pipeline = Pipeline(load_config("demo"))
    for name in FIGURES:
        stage = pipeline.stages[name]
        assert stage.outputs == tuple(Path(f"reports/demo/{name}.{k}") for k in ("png", "pdf"))
        assert not any("@" in str(path) for path in stage.inputs)
    assert pipeline.layout.history("rendered_a", "parser") in pipeline.stages["curves"].inputs
    assert pipeline.layout.history("rendered_b", "parser") not in pipeline.stages["curves"].inputs
    inputs = {path for path in pipeline.stages["figure1"].inputs if "completions" in path.parts}
    assert inputs == {
        pipeline.layout.completions(d, "mdrnets") for d in ("rendered_a", "rendered_b")
    }


def test_figure_1_shows_the_last_method_where_none_is_the_papers(project: Path) -> None:
    config = load_config()
    assert shown_method(config) == "toy"  # the project has no ablated method
