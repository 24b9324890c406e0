"""A trained method as a folder of its own, which needs neither profile nor data to be read.

It contains `method.json`, and weights (safetensors) and configuration of the method and of every
network that it uses, as trainings write them.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mdrnets.config.load import Config
from mdrnets.config.options import Options
from mdrnets.errors import UserError
from mdrnets.files import atomic_write, write_text
from mdrnets.files.text import read_json_as
from mdrnets.layout import Layout
from mdrnets.methods.base import Method, Trainable
from mdrnets.methods.building import build_saved, import_network_module
from mdrnets.methods.model_files import load_model_config, load_weights

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
        network: a method of the profile.
        dataset: the data set that it was trained on.
        folder: is created.

    Raises:
        UserError: a network is not trained, or its files are damaged.
    """
    layout = Layout(config.name)
    parts = {}
    for name, trained_on in _networks(config, network, dataset):
        source = layout.model_config(trained_on, name)
        load_model_config(source)
        for path in (source, layout.model(trained_on, name)):
            if not path.is_file():
                raise UserError(f"{path}: file not found; train the network")
            with atomic_write(_file(folder, name, path.suffix)) as temporary:
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


@dataclass(frozen=True)
class LoadedMethod:
    """An exported method that is ready to complete images.

    Attributes:
        network: frozen, in eval mode; `network.to("cuda")` moves it, with all that it uses.
        description: what it is, and the size of its images.
    """

    network: Method
    description: ExportedMethod


def load_method(folder: Path | str) -> LoadedMethod:
    """Load an exported method.

    Args:
        folder: that `mdrnets export` wrote. It may come from another machine.

    Raises:
        UserError: a file is missing, damaged or belongs to another network, or the module of a
            network is not here.
    """
    folder = Path(folder)
    exported = read_exported(folder)
    method = _load(folder, exported, exported.network)
    if not isinstance(method, Method):
        raise UserError(f"{folder}: {exported.network} completes no images; export a method")
    return LoadedMethod(method.eval(), exported)


def _load(folder: Path, exported: ExportedMethod, name: str) -> Trainable:
    path = _file(folder, name, ".json")
    saved = load_model_config(path)
    module = import_network_module(saved.module, where=f"{path}: module: {saved.module}")
    frozen = {part: _load(folder, exported, part) for part in exported.parts.get(name, ())}
    network = build_saved(module, saved, path, frozen=frozen)
    load_weights(_file(folder, name, ".safetensors"), network)
    return network


def _networks(config: Config, network: str, dataset: str) -> Iterator[tuple[str, str]]:
    """A network and all that it uses for inference, with the data sets that they are trained on."""
    yield network, dataset
    for part in config.network(network).inference_uses:
        yield from _networks(config, part, config.trained_on(part, dataset))


def _file(folder: Path, name: str, suffix: str) -> Path:
    return folder / "networks" / f"{name}{suffix}"
