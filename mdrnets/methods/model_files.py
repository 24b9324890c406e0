"""Read and write the files of a trained network: weights (safetensors) and configuration (JSON).

Neither contains times or paths, so the same training gives the same bytes. PyTorch is imported for
weights only.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from mdrnets.config.options import Options
from mdrnets.errors import UserError
from mdrnets.files import atomic_write, write_text
from mdrnets.files.arrays import read_tensors
from mdrnets.files.text import read_json_as

if TYPE_CHECKING:
    from torch import nn


class ModelConfig(Options):
    """The configuration with which a network was built and trained.

    Attributes:
        network: name in `params.yaml`.
        module: Python module that defines its `Options` and `build`.
        dataset: the data set that it was trained on.
        image_size: H = W in pixels.
        perceptual: network whose features its perceptual and style losses use.
        seed: seed of its initial weights and its training.
        options: all its options, including defaults.
        parameters: number of trained parameters, including those of its discriminators.
    """

    network: str
    module: str
    dataset: str
    image_size: int = Field(ge=1)
    perceptual: str
    seed: int
    options: dict[str, Any]
    parameters: int = Field(ge=0)


def save_model_config(path: Path, config: ModelConfig) -> None:
    write_text(path, json.dumps(config.model_dump(), indent=2, ensure_ascii=False) + "\n")


def load_model_config(path: Path) -> ModelConfig:
    """Read the configuration of a trained network.

    Raises:
        UserError: the file is missing or has invalid content.
    """
    return read_json_as(ModelConfig, path, remedy="train the network")


def save_weights(path: Path, network: "nn.Module") -> None:
    """Write parameters and persistent buffers to a safetensors file."""
    from safetensors.torch import save_file

    # Copies, because safetensors rejects tensors that share memory.
    tensors = {
        name: tensor.detach().cpu().contiguous().clone()
        for name, tensor in network.state_dict().items()
    }
    with atomic_write(path) as temporary:
        save_file(tensors, temporary)


def load_weights(path: Path, network: "nn.Module") -> None:
    """Load weights from a file into a network, in place.

    Raises:
        UserError: the file is missing, damaged, or belongs to another network.
    """
    from safetensors.torch import load_file

    tensors = read_tensors(path, load_file, remedy="train the network")
    expected = network.state_dict()
    for name in dict.fromkeys([*expected, *tensors]):
        here = f"of shape {list(expected[name].shape)}" if name in expected else "missing"
        there = f"of shape {list(tensors[name].shape)}" if name in tensors else "missing"
        if here != there:
            raise UserError(
                f"{path}: the weights belong to another network: {name} is {there} in the file "
                f"and {here} in the network; train the network again"
            )
    network.load_state_dict(tensors)
