"""`mdrnets export`: the folder, its model card, and the registry of MLflow."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mdrnets.commands.command_line import run_command
from mdrnets.files import write_text
from mdrnets.tracking.mlflow_store import open_store
from mdrnets.tracking.provenance import GitState
from mdrnets.tracking.record import FileHash, Record, hashes
from tests.helpers.project import LAYOUT, ROOT, SIZE
from tests.helpers.trained_toys import write_trained_toys


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    write_trained_toys(tmp_path)
    shutil.copy(ROOT / "LICENSE", tmp_path)
    return tmp_path


def test_the_folder_has_weights_options_licence_and_card(project: Path) -> None:
    assert run_command("export", ["--method", "toy", "out"]) == 0
    files = {str(path.relative_to("out")) for path in Path("out").rglob("*") if path.is_file()}
    networks = {f"networks/{n}{s}" for n in ("toy", "base") for s in (".json", ".safetensors")}
    assert files == networks | {"method.json", "LICENSE", "README.md"}
    card = Path("out/README.md").read_text(encoding="utf-8")
    for text in ("Toy", "Noise", "steps", f"{SIZE}×{SIZE}", "noise: MIT", "holes: MIT"):
        assert text in card


@pytest.mark.parametrize("case", ["the same", "killed later", "others restored"])
def test_the_card_names_the_training_that_made_the_weights(
    project: Path, make_record: Callable[..., Record], case: str
) -> None:
    made = hashes([LAYOUT.model("one", "toy")])
    others = {name: FileHash(sha256="0" * 64, bytes=1) for name in made}
    fields: dict[str, Any] = {
        "the same": {"status": "FINISHED", "outputs": made},
        "killed later": {"status": "KILLED", "last_outputs": made},
        "others restored": {"status": "FINISHED", "outputs": others},
    }[case]
    record = make_record(git=GitState(commit="c0ffee", dirty=False), **fields)
    write_text(LAYOUT.records / f"{record.name}.json", record.model_dump_json())
    assert run_command("export", ["--method", "toy", "out"]) == 0
    named = "c0ffee" in Path("out/README.md").read_text(encoding="utf-8")
    assert named == (case == "the same")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--method", "nothing"], "profiles/tiny.yaml: method nothing"),
        (["--method", "base"], "profiles/tiny.yaml: method base"),
        (["--method", "toy", "--dataset", "three"], "profiles/tiny.yaml: datasets: three"),
        (["--method", "toy", "--dataset", "two"], str(LAYOUT.model("two", "toy"))),
        (["--method", "toy", "profiles"], "profiles: "),
        (["--method", "toy", "params.yaml"], "params.yaml: "),
    ],
)
def test_what_cannot_be_exported_is_named(
    project: Path, arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("export", arguments) == 1
    assert capsys.readouterr().err.startswith(f"error: {named}")


def test_the_registry_has_a_model_with_its_signature(project: Path, empty_database: Path) -> None:
    shutil.copy(empty_database, project / "mlflow.db")
    assert run_command("export", ["--method", "toy", "out", "--register"]) == 0
    with open_store("tiny") as store:
        (version,) = store.client.search_model_versions("name = 'mdrnets-tiny-one-toy'")
        import mlflow

        model = mlflow.pyfunc.load_model(f"models:/{version.name}/{version.version}")
    image = np.full((1, SIZE, SIZE, 3), 200, dtype=np.uint8)
    hole = np.zeros((1, SIZE, SIZE), dtype=np.uint8)
    hole[:, 4:9] = 1
    completed = model.predict({"image": image, "hole": hole})
    assert (completed[hole == 0] == 200).all() and (completed[hole == 1] != 200).any()
    with pytest.raises(mlflow.exceptions.MlflowException):
        model.predict({"image": image[:, :-1], "hole": hole})
