"""Load a method from an exported folder."""

from dataclasses import dataclass
from pathlib import Path

from mdrnets.errors import UserError
from mdrnets.methods.base import Method, Trainable
from mdrnets.methods.building import build_saved, import_network_module
from mdrnets.methods.exported_folder import ExportedMethod, network_file, read_exported
from mdrnets.methods.model_files import load_model_config, load_weights


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
    path = network_file(folder, name, ".json")
    saved = load_model_config(path)
    module = import_network_module(saved.module, where=f"{path}: module: {saved.module}")
    frozen = {part: _load(folder, exported, part) for part in exported.parts.get(name, ())}
    network = build_saved(module, saved, path, frozen=frozen)
    load_weights(network_file(folder, name, ".safetensors"), network)
    return network
