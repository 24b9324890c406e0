from pathlib import Path

import numpy as np
import pytest

from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.dag.report import choose_figure1_method
from mdrnets.data.assignment import read_assignment
from mdrnets.data.classes import CLASSES
from mdrnets.evaluation.memory_use import NONE, MemoryUse, save_memory_use
from mdrnets.evaluation.parsing import COMPLETE, ParsedClass, count_classes
from mdrnets.evaluation.scores import Score
from mdrnets.files import write_text
from mdrnets.files.tables import write_rows
from stages.render import main
from tests.helpers.project import (
    LAYOUT,
    ROOT,
    SIZE,
    add_variants,
    edit_yaml,
    write_configuration,
    write_data,
)

FIGURES = ("figure1", "figure5", "curves", "metric_by_ratio", "error_map")
INSPECTED = ("memory_use", "memory_slots", "parser_quality")
ALL = (*FIGURES, "figure6", *INSPECTED)
HISTORY = """phase,step,l1,adversarial,memory/slots_used/skin
train,4,1.0,0.5,1.0
train,8,0.5,0.5,2.0
"""


@pytest.fixture
def project(no_sync: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run of one method, and of a variant, on two data sets of noise."""
    monkeypatch.chdir(tmp_path)
    write_configuration(tmp_path)
    _add_variants_and_a_memory()
    write_data(tmp_path)
    write_text(LAYOUT.history("one", "base"), HISTORY)
    generator = np.random.default_rng(2)
    for dataset in ("one", "two"):
        write_text(LAYOUT.history(dataset, "toy"), HISTORY)
        for method in ("toy", "toy@nose"):
            path = LAYOUT.completions(dataset, method)
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, generator.integers(0, 256, (2, 5, SIZE, SIZE, 3), dtype=np.uint8))
        save_memory_use(LAYOUT.memory_use(dataset, "toy"), _memory_use())
        pairs = read_assignment(LAYOUT.assignment(dataset))
        scores = [
            Score(pair.image, pair.bin, pair.hole, pair.ratio, 1.0, 20.0, 0.8, *[0.0] * 5)
            for pair in pairs
        ]
        write_rows(LAYOUT.scores(dataset, "toy"), Score, scores)
    labels = np.zeros((2, SIZE, SIZE), dtype=np.uint8)
    write_rows(LAYOUT.parsing("one", "toy"), ParsedClass, count_classes(COMPLETE, labels, labels))
    return tmp_path


def _add_variants_and_a_memory() -> None:
    add_variants()
    with edit_yaml("params.yaml") as params, edit_yaml("profiles/tiny.yaml") as profile:
        params["figures"] = {"figure6": {"title": "Figure 6", "columns": ["nose", "ear", "full"]}}
        params["methods"]["toy"]["memory"] = True
        params["components"]["base"]["labels"] = True
        profile["datasets"]["one"]["labels"] = {"source": "noise", "classes": "mdrnets14"}


def _memory_use() -> MemoryUse:
    """Of two slots a class, of which one was read."""
    count = len(CLASSES)
    return MemoryUse(
        chosen=np.tile([7, 0], (count, 1)),
        entropy=np.zeros(count),
        length=np.ones(count),
        slots=np.tile([0, NONE], (count, 1)),
        images=np.tile([[3], [NONE]], (count, 1, 1)),
        cosines=np.ones((count, 2, 1), dtype=np.float32),
        regions=np.ones((count, 2, 1, SIZE, SIZE), dtype=bool),
    )


def _files(name: str) -> list[Path]:
    tables = {"curves": ["curves.csv", "trends.csv"], "parser_quality": ["parser_quality.csv"]}
    files = f"{name}.png", f"{name}.pdf", *tables.get(name, [])
    return [LAYOUT.report(file) for file in files]


@pytest.mark.parametrize("name", ALL)
def test_a_figure_is_written_twice_with_the_same_bytes(project: Path, name: str) -> None:
    contents = []
    for _ in range(2):
        assert main([name]) == 0
        contents.append([path.read_bytes() for path in _files(name)])
    assert contents[0] == contents[1]
    png, pdf, *_ = contents[0]
    assert png.startswith(b"\x89PNG") and pdf.startswith(b"%PDF")
    assert sorted(LAYOUT.reports.iterdir()) == sorted(_files(name))
    assert str(project).encode() not in png + pdf


@pytest.mark.parametrize("name", ALL)
def test_every_missing_input_is_named(
    project: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline = Pipeline(load_config())
    inputs = pipeline.stages[name].inputs
    assert inputs
    for path in inputs:
        hidden = path.rename(path.with_suffix(".hidden"))
        assert main([name]) == 1, path
        assert f"error: {path}:" in capsys.readouterr().err
        hidden.rename(path)
    assert not LAYOUT.reports.exists()


def test_figures_are_stages_without_variants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    pipeline = Pipeline(load_config("demo"))
    for name in (*FIGURES, "memory_use", "memory_slots"):
        stage = pipeline.stages[name]
        assert [path.name for path in stage.outputs] == [path.name for path in _files(name)]
        assert not any("@" in str(path) for path in stage.inputs)
    assert pipeline.layout.history("rendered_a", "parser") in pipeline.stages["curves"].inputs
    assert pipeline.layout.history("rendered_b", "parser") not in pipeline.stages["curves"].inputs
    inputs = {path for path in pipeline.stages["figure1"].inputs if "completions" in path.parts}
    assert inputs == {
        pipeline.layout.completions(d, "mdrnets") for d in ("rendered_a", "rendered_b")
    }


def test_a_figure_of_variants_needs_those_that_run_alone(project: Path) -> None:
    inputs = Pipeline(load_config()).stages["figure6"].inputs
    completions = [path for path in inputs if "completions" in path.parts]
    assert completions == [LAYOUT.completions("one", name) for name in ("toy@nose", "toy")]


def test_figure_1_shows_the_last_method_where_none_is_the_papers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_configuration(tmp_path)
    assert choose_figure1_method(load_config()) == "toy"  # the project has no ablated method
