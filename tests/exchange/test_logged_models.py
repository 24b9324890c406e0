"""The models that MLflow shows of trainings."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mdrnets.config.load import load_config
from mdrnets.exchange import logged_models
from mdrnets.exchange.logged_models import send_all
from mdrnets.tracking.mlflow_store import open_store
from mdrnets.tracking.record import Record, hashes, now
from mdrnets.tracking.record_store import RecordStore
from tests.helpers.project import LAYOUT, SIZE
from tests.helpers.trained_toys import write_trained_toys

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel

NETWORKS = ("base", "toy")
METHOD = {"data/network/method.json"} | {
    f"data/network/networks/{name}{suffix}"
    for name in NETWORKS
    for suffix in (".json", ".safetensors")
}


@pytest.fixture
def records(
    tmp_path: Path,
    empty_database: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_record: Callable[..., Record],
) -> RecordStore:
    """The records of a method's training, and of that of the component that it uses."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copy(empty_database, "mlflow.db")
    write_trained_toys(tmp_path)
    store = RecordStore(LAYOUT.records)
    for name in NETWORKS:
        files = {each: hashes(_files(each)) for each in NETWORKS}
        record = make_record(
            name=f"train-one-{name}",
            wildcards={"dataset": "one", "network": name},
            profile="tiny",
            inputs=files["base"] if name == "toy" else {},
            versions={"torch": "2.0.1+cpu"},
        )
        store.update(
            store.begin(record, resumes=False), status="FINISHED", ended=now(), outputs=files[name]
        )
    return store


def _files(network: str) -> list[Path]:
    return [LAYOUT.model("one", network), LAYOUT.model_config("one", network)]


def _models() -> "dict[str, LoggedModel]":
    with open_store("tiny") as store:
        return {m.name: m for m in store.client.search_logged_models([store.experiment])}


def _artifacts(model: "LoggedModel") -> set[str]:
    (folder,) = Path("mlartifacts").glob(f"models/{model.model_id}/artifacts")
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_method_is_a_model_of_its_training_that_mlflow_loads(records: RecordStore) -> None:
    send_all(load_config())
    model = _models()["one-toy"]
    (record,) = (each for each in records.all() if each.name == "train-one-toy")
    assert record.mlflow and model.source_run_id == record.mlflow.run_id
    assert model.status == "READY" and model.params["network.options.steps"] == "4"
    assert _artifacts(model) == METHOD | {
        *("MLmodel", "requirements.txt", "conda.yaml", "python_env.yaml")
    }
    with open_store("tiny") as store:
        (output,) = store.client.get_run(record.mlflow.run_id).outputs.model_outputs
        assert output.model_id == model.model_id
        import mlflow

        mlflow.set_tracking_uri(f"sqlite:///{Path('mlflow.db').absolute()}")
        loaded = mlflow.pyfunc.load_model(f"models:/{model.model_id}")
    image = np.full((1, SIZE, SIZE, 3), 200, dtype=np.uint8)
    hole = np.zeros((1, SIZE, SIZE), dtype=np.uint8)
    hole[:, 4:9] = 1
    completed = loaded.predict({"image": image, "hole": hole})
    assert (completed[hole == 0] == 200).all() and (completed[hole == 1] != 200).any()


def test_a_component_has_its_files_and_no_loader(records: RecordStore) -> None:
    send_all(load_config())
    model = _models()["one-base"]
    networks = {"network/networks/base.json", "network/networks/base.safetensors"}
    assert _artifacts(model) == networks | {"MLmodel", "network/method.json"}
    assert "python_function" not in Path(f"{model.artifact_location[7:]}/MLmodel").read_text()


def test_a_model_is_sent_once(records: RecordStore) -> None:
    send_all(load_config())
    first = {model.model_id for model in _models().values()}
    send_all(load_config(), everything=True)
    assert {model.model_id for model in _models().values()} == first and len(first) == 2


def test_what_a_killed_call_left_is_replaced(
    records: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(logged_models, "_write_model", kill)
        send_all(load_config())
    (unfinished,) = _models().values()
    send_all(load_config())
    assert {model.status for model in _models().values()} == {"READY"}
    assert unfinished.model_id not in {model.model_id for model in _models().values()}


@pytest.mark.parametrize(("network", "left"), [("toy", {"one-base"}), ("base", set())])
def test_files_of_another_training_are_not_sent(
    records: RecordStore, network: str, left: set[str]
) -> None:
    LAYOUT.model("one", network).write_bytes(b"of a later training")
    send_all(load_config())
    assert _models().keys() == left


def test_a_large_model_is_named_without_its_files(
    records: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logged_models, "LARGEST", 10)
    send_all(load_config())
    assert {model.status for model in _models().values()} == {"READY"}
    assert not list(Path("mlartifacts").rglob("MLmodel"))


def test_pytorch_is_not_imported() -> None:
    code = "import sys, mdrnets.exchange.logged_models; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
