"""Trained networks as models of MLflow, each linked to the run of its training.

They are sent after the records, since a method is more files than its training made. Methods have
a signature, and `mlflow.pyfunc.load_model` reads them. PyTorch is not imported, so that the end of
a workflow run stays fast.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from filelock import FileLock

from mdrnets.config.load import Config
from mdrnets.files import sha256
from mdrnets.layout import Layout
from mdrnets.methods.exported_folder import export_networks, inference_networks
from mdrnets.tracking.mlflow_requests import flat_parameters
from mdrnets.tracking.mlflow_store import Store, open_store
from mdrnets.tracking.record import MlflowStatus, Record
from mdrnets.tracking.record_store import RecordStore
from mdrnets.tracking.sync import sync

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel
    from mlflow.models import ModelSignature

LOADER = "mdrnets.exchange.mlflow_model"
"""The module that MLflow calls to load a method."""
LARGEST = 100_000_000
"""Bytes. Files of larger models are not sent: they would fill disks and slow servers down."""


@dataclass(frozen=True)
class Training:
    """A training that MLflow has a run of, but no model.

    Attributes:
        network: name in the profile.
        dataset: that it was trained on.
        record: of the training.
        status: its run.
    """

    network: str
    dataset: str
    record: Record
    status: MlflowStatus

    @property
    def run_id(self) -> str:
        return self.status.run_id


def send_all(config: Config, *, everything: bool = False) -> int:
    """Send the records and the trained networks that MLflow does not have yet.

    Args:
        config: protocol and profile.
        everything: also send what was sent before; the database may be another.

    Returns:
        How many records were sent.

    Raises:
        TrackingError: MLflow is unavailable; the rest is sent the next time.
        UserError: a store that loses runs, or a damaged file of a network.
    """
    records = RecordStore(Layout(config.name).records)
    count = sync(records, config.name, everything=everything)
    if any(_without_model(records, config)):
        with FileLock(records.folder / ".sync.lock"), open_store(config.name) as store:
            # Searched again: another process may have sent some meanwhile.
            for training in list(_without_model(records, config)):
                status = training.status.model_copy(
                    update={"model": _log_model(store, config, training)}
                )
                records.update(training.record, mlflow=status)
    return count


def method_signature(image_size: int) -> "ModelSignature":
    """Images and holes in, completions out: what `mlflow_model.Completer` does."""
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import ParamSchema, ParamSpec, Schema, TensorSpec

    pixels = np.dtype(np.uint8)
    image = (-1, image_size, image_size, 3)
    return ModelSignature(
        inputs=Schema([TensorSpec(pixels, image, "image"), TensorSpec(pixels, image[:-1], "hole")]),
        outputs=Schema([TensorSpec(pixels, image)]),
        params=ParamSchema([ParamSpec("seed", "long", 0)]),
    )


def _without_model(records: RecordStore, config: Config) -> Iterator[Training]:
    """The finished trainings whose files are here as the training made and used them."""
    layout = Layout(config.name)
    made = {
        name: record
        for record in records.latest()
        if record.status == "FINISHED" and record.mlflow and not record.mlflow.model
        for name in record.outputs
    }
    for network in config.trained:
        for dataset in config.training_datasets(network):
            record = made.get(layout.model(dataset, network).as_posix())
            if record and record.mlflow and _files_are_of(record, config, network, dataset):
                yield Training(network, dataset, record, record.mlflow)


def _files_are_of(record: Record, config: Config, network: str, dataset: str) -> bool:
    known = {**record.inputs, **record.outputs}
    return all(
        path.is_file() and (file := known.get(path.as_posix())) and sha256(path) == file.sha256
        for path in _files(config, network, dataset)
    )


def _files(config: Config, network: str, dataset: str) -> Iterator[Path]:
    layout = Layout(config.name)
    for name, trained_on in inference_networks(config, network, dataset):
        yield layout.model(trained_on, name)
        yield layout.model_config(trained_on, name)


def _log_model(store: Store, config: Config, training: Training) -> str:
    """Create the model of a training, unless an earlier call did; returns its id."""
    from mlflow.entities import LoggedModelOutput

    client = store.client
    filter_string = f"source_run_id = '{training.run_id}'"
    for model in client.search_logged_models([store.experiment], filter_string):
        if model.status == "READY":
            return str(model.model_id)
        client.delete_logged_model(model.model_id)  # left by a killed process
    model = client.create_logged_model(
        store.experiment,
        name=f"{training.dataset}-{training.network}".replace("@", "-"),
        source_run_id=training.run_id,
        params=dict(flat_parameters(training.record.parameters)),
        tags={
            "profile": config.name,
            "dataset": training.dataset,
            "network": training.network,
        },
    )
    client.log_outputs(training.run_id, [LoggedModelOutput(model.model_id, step=0)])
    size = sum(path.stat().st_size for path in _files(config, training.network, training.dataset))
    if size <= LARGEST:
        with TemporaryDirectory() as folder:
            target = _write_model(Path(folder), config, training, model)
            client.log_model_artifacts(model.model_id, str(target))
    client.finalize_logged_model(model.model_id, "READY")
    return str(model.model_id)


def _write_model(folder: Path, config: Config, training: Training, model: "LoggedModel") -> Path:
    """Write the files of a model below a folder: an export and, for a method, its loader."""
    import mlflow.pyfunc
    from mlflow.models import Model

    network, target = training.network, folder / "model"
    data = folder / "network"
    exported = export_networks(config, network=network, dataset=training.dataset, folder=data)
    description = Model(
        artifact_path=model.artifact_location, run_id=training.run_id, model_id=model.model_id
    )
    if network in config.protocol.components:  # it completes no images
        target.mkdir()
        data.rename(target / data.name)
        description.add_flavor("mdrnets", data=data.name, network=network)
        description.save(str(target / "MLmodel"))
        return target
    torch, _, _ = training.record.versions.get("torch", "").partition("+")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*An input example was not", UserWarning)
        mlflow.pyfunc.save_model(
            str(target),
            loader_module=LOADER,
            data_path=str(data),
            signature=method_signature(exported.image_size),
            pip_requirements=[f"torch=={torch}" if torch else "torch"],
            mlflow_model=description,
        )
    return target
