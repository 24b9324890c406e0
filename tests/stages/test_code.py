import shutil
from pathlib import Path

import pytest
import yaml

from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Pipeline
from stages import code
from workflow.dvc_yaml import dvc_yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(configs: Path) -> Path:
    shutil.copy(ROOT / "dvc.yaml", configs)
    (configs / "my_methods").mkdir()
    (configs / "my_methods/pconv.py").write_text("LAYERS = 2\n")
    return configs


def test_the_shipped_graph_is_that_of_the_shipped_profile(project: Path) -> None:
    code.check_dvc_yaml(Pipeline(load_config()))


def test_dvc_watches_the_profile_that_the_profile_extends(project: Path) -> None:
    Path("profiles/mine.yaml").write_text("extends: smoke\n")
    stages = yaml.safe_load(dvc_yaml(Pipeline(load_config("mine"))))["stages"]
    assert {"profiles/mine.yaml", "profiles/smoke.yaml"} <= set(stages["code"]["deps"])


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("params.yaml", "profile: demo", "profile: smoke"),
        ("profiles/demo.yaml", "methods: [pconv, ", "methods: ["),
        ("profiles/demo.yaml", "methods: [pconv, ", "methods: [pconv, biharmonic, "),
        ("profiles/demo.yaml", "  rendered_b:", "  rendered_c:"),
        ("profiles/demo.yaml", "faces: rendered_a_faces", "faces: rendered_b_faces"),
        ("profiles/demo.yaml", "without_mrem, without_semantic", "without_semantic"),
        ("params.yaml", "module: mdrnets.methods.pconv", "module: my_methods.pconv"),
    ],
)
def test_dvc_does_not_run_the_graph_of_another_configuration(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    file: str,
    before: str,
    after: str,
) -> None:
    text = Path(file).read_text(encoding="utf-8")
    assert before in text
    Path(file).write_text(text.replace(before, after, 1), encoding="utf-8")
    monkeypatch.setenv("DVC_STAGE", "code")
    assert code.main(["--profile", "demo"]) == 1
    assert "dvc.yaml" in capsys.readouterr().err
    assert not Path("runs").exists()
