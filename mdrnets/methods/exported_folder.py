"""A trained method as a folder of its own, which needs neither profile nor data to be read.

It contains `method.json`, and weights (safetensors) and configuration of the method and of every
network that it uses, as trainings write them. This module does not import PyTorch.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from mdrnets.config.load import Config
from mdrnets.config.options import Options
from mdrnets.errors import UserError
from mdrnets.files import atomic_write, write_text
from mdrnets.files.text import read_json_as
from mdrnets.layout import Layout
from mdrnets.methods.model_files import load_model_config

DESCRIPTION = "method.json"
REMEDY = "export the method again with `mdrnets export`"


class ExportedMethod(Options):
    """What an exported folder contains.

    Attributes:
        network: the method, as params.yaml and the profile name it.
        title: of the method.
        profile: that trained it.
        dataset: title of the data that it was trained on.
        image_size: H = W in pixels of what it completes.
        parts: for each network of the folder, those that it uses.
    """

    network: str
    title: str
    profile: str
    dataset: str
    image_size: int
    parts: dict[str, list[str]]


def export_networks(config: Config, *, network: str, dataset: str, folder: Path) -> ExportedMethod:
    """Copy a trained method, and all networks that it uses for inference, into a folder.

    Args:
        config: protocol and profile.
        network: a method or component of the profile.
        dataset: the data set that it was trained on.
        folder: is created.

    Raises:
        UserError: a network is not trained, or its files are damaged.
    """
    layout = Layout(config.name)
    parts = {}
    for name, trained_on in inference_networks(config, network, dataset):
        source = layout.model_config(trained_on, name)
        load_model_config(source)
        for path in (source, layout.model(trained_on, name)):
            if not path.is_file():
                raise UserError(f"{path}: file not found; train the network")
            with atomic_write(network_file(folder, name, path.suffix)) as temporary:
                shutil.copyfile(path, temporary)
        parts[name] = list(config.network(name).inference_uses)
    exported = ExportedMethod(
        network=network,
        title=config.network(network).title,
        profile=config.name,
        dataset=config.profile.datasets[dataset].title,
        image_size=config.profile.image_size,
        parts=parts,
    )
    write_text(folder / DESCRIPTION, json.dumps(exported.model_dump(), indent=2) + "\n")
    return exported


def read_exported(folder: Path) -> ExportedMethod:
    """Read what an exported folder contains.

    Raises:
        UserError: it is missing or damaged.
    """
    return read_json_as(ExportedMethod, folder / DESCRIPTION, remedy=REMEDY)


def inference_networks(config: Config, network: str, dataset: str) -> Iterator[tuple[str, str]]:
    """A network and all that it uses for inference, with the data sets that they are trained on."""
    yield network, dataset
    for part in config.network(network).inference_uses:
        yield from inference_networks(config, part, config.trained_on(part, dataset))


def network_file(folder: Path, name: str, suffix: str) -> Path:
    """The file of a network in an exported folder, with this suffix."""
    return folder / "networks" / f"{name}{suffix}"
