"""A trained network's files: weights as safetensors, and the configuration they belong to.

Both hold no times and no paths: the same training gives the same bytes.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import Field
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from mdrnets.config.options import Options
from mdrnets.config.validation import validate_options
from mdrnets.errors import UserError
from mdrnets.files import atomic_write, write_text


class ModelConfig(Options):
    """What a network was built and trained with.

    Attributes:
        network: name in `params.yaml`.
        module: Python module with its `Options` and `build`.
        dataset: that it was trained on.
        image_size: H = W in pixels.
        perceptual: features of its perceptual and style losses.
        seed: of its initial weights and its training.
        options: all of its options, defaults included.
        parameters: how many numbers were trained, those of its discriminators included.
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
    """Raises:
    UserError: no such file, or another content.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file; train the network first") from None
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON ({error}); train the network again") from None
    return validate_options(ModelConfig, values, where=path)


def save_weights(path: Path, network: nn.Module) -> None:
    """Write parameters and persistent buffers."""
    # Copies, since safetensors refuses tensors that share memory.
    tensors = {
        name: tensor.detach().cpu().contiguous().clone()
        for name, tensor in network.state_dict().items()
    }
    with atomic_write(path) as temporary:
        save_file(tensors, temporary)


def load_weights(path: Path, network: nn.Module) -> None:
    """Fill a network with the weights of a file, in place.

    Raises:
        UserError: no such file, a damaged one, or the weights of another network.
    """
    try:
        tensors = load_file(path)
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file; train the network first") from None
    except SafetensorError as error:
        raise UserError(f"{path}: damaged ({error}); train the network again") from None

    expected = network.state_dict()
    for name in dict.fromkeys([*expected, *tensors]):
        here = f"shape {list(expected[name].shape)}" if name in expected else "no such weight"
        there = f"shape {list(tensors[name].shape)}" if name in tensors else "no such weight"
        if here != there:
            raise UserError(
                f"{path}: the weights are not this network's: {name} has {there} in the file and "
                f"{here} in the network; train the network again"
            )
    network.load_state_dict(tensors)
