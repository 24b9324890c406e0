"""A project of toys whose networks are trained, that is, saved."""

from pathlib import Path
from typing import Any

from mdrnets.methods.model_files import ModelConfig, save_model_config, save_weights
from tests.helpers.project import LAYOUT, SIZE, TOY, write_configuration, write_data
from tests.helpers.toy import Toy, new_toy


def write_trained_toys(folder: Path) -> None:
    """Write configuration, data, and the networks of the data set `one`."""
    write_configuration(folder)
    write_data(folder)
    for network in ("base", "toy"):
        save_toy("one", network)


def save_toy(dataset: str, network: str, *, image_size: int = SIZE, **options: Any) -> Toy:
    """Write the files of a network as if it had been trained with these options."""
    trained = new_toy(**options)
    save_weights(LAYOUT.model(dataset, network), trained)
    config = ModelConfig(
        network=network,
        module=TOY,
        dataset=dataset,
        image_size=image_size,
        perceptual="effnet-lite0",
        seed=1,
        options=trained.options.model_dump(mode="json"),
        parameters=1,
    )
    save_model_config(LAYOUT.model_config(dataset, network), config)
    return trained
