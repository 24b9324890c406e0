"""An exported method as a model of MLflow: logged with its signature, and registered.

`mlflow.pyfunc.load_model` reads it where this project is installed. Its inputs are images,
uint8 N×H×W×3, and their holes N×H×W, 1 = missing; its output is the completions, uint8 N×H×W×3.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mdrnets.config.load import Config
from mdrnets.data.pixels import hole_to_tensor, to_pixels, to_tensor
from mdrnets.exchange.export import training_record
from mdrnets.exchange.logged_models import method_signature
from mdrnets.methods.exported import LoadedMethod, load_method
from mdrnets.methods.exported_folder import ExportedMethod
from mdrnets.networks.composite import composite
from mdrnets.tracking.mlflow_requests import find_run
from mdrnets.tracking.mlflow_store import open_store, server_uri
from mdrnets.tracking.sync import EXECUTION


class Completer:
    """The model that MLflow calls."""

    def __init__(self, method: LoadedMethod) -> None:
        self.method = method

    def predict(
        self, model_input: Mapping[str, np.ndarray], params: Mapping[str, Any] | None = None
    ) -> np.ndarray:
        """Complete images.

        Args:
            model_input: `image`, uint8 N×H×W×3, and `hole`, uint8 N×H×W, 1 = missing, at the size
                of the method.
            params: `seed` of the samples; 0 by default.
        """
        image = to_tensor(np.asarray(model_input["image"], dtype=np.uint8))
        hole = hole_to_tensor(np.asarray(model_input["hole"]) > 0)
        generator = torch.Generator().manual_seed(int((params or {}).get("seed", 0)))
        with torch.inference_mode():
            output = self.method.network.complete(image * (1 - hole), hole, generator)
        return to_pixels(composite(image, output.float(), hole))


def _load_pyfunc(path: str) -> Completer:
    """The name by which MLflow finds the loader."""
    return Completer(load_method(path))


def register(config: Config, exported: ExportedMethod, *, dataset: str, folder: Path) -> str:
    """Log an exported method and add a version of it to the registry of MLflow.

    Args:
        config: protocol and profile.
        exported: what is exported.
        dataset: that it was trained on.
        folder: of the export.

    Returns:
        The URI of the version, `models:/NAME/NUMBER`.

    Raises:
        TrackingError: MLflow is unavailable.
    """
    name = f"mdrnets-{config.name}-{dataset}-{exported.network}".replace("@", "-")
    record = training_record(config, exported.network, dataset)
    with open_store(config.name) as store:
        import mlflow

        mlflow.set_tracking_uri(server_uri())
        mlflow.set_experiment(experiment_id=store.experiment)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*An input example was not", UserWarning)
            model = mlflow.pyfunc.log_model(
                name=name,
                loader_module=__name__,
                data_path=str(folder),
                signature=method_signature(exported.image_size),
                pip_requirements=[f"torch=={torch.__version__.partition('+')[0]}"],
                registered_model_name=name,
                params={"profile": config.name, "dataset": dataset, "network": exported.network},
            )
        version = model.registered_model_version
        if record is not None and (run := find_run(store, EXECUTION, record.execution)):
            store.client.set_tag(run.info.run_id, "registered_model", f"{name}/{version}")
        return f"models:/{name}/{version}"
