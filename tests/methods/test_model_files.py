from pathlib import Path

import pytest
import torch
from torch import nn

from mdrnets.errors import UserError
from mdrnets.methods.model_files import (
    ModelConfig,
    load_model_config,
    load_weights,
    save_model_config,
    save_weights,
)

CONFIG = ModelConfig(
    network="toy",
    module="tests.helpers.toy",
    dataset="one",
    image_size=32,
    perceptual="vgg",
    seed=7,
    options={"lr": 0.1, "taps": ["relu1_1"], "weights": {"l1": 1.0}},
    parameters=12,
)


class Shared(nn.Module):
    """Two names for one weight, one that is not contiguous, a counter and an empty tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 3)
        self.second = self.first
        self.conv = nn.Conv2d(2, 4, 3).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.norm = nn.BatchNorm2d(4)
        self.register_buffer("empty", torch.zeros(0, 5))
        self.register_buffer("scratch", torch.ones(2), persistent=False)


def test_weights_come_back(tmp_path: Path) -> None:
    path = tmp_path / "models" / "shared.safetensors"
    network, other = Shared(), Shared()
    network.norm(torch.randn(2, 4, 3, 3))
    save_weights(path, network)
    load_weights(path, other)
    assert "scratch" not in network.state_dict()
    for name, tensor in network.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor), name


def test_equal_weights_are_equal_bytes(tmp_path: Path) -> None:
    network, other = Shared(), Shared()
    other.load_state_dict(network.state_dict())
    other.conv.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    for name, saved in (("a", network), ("b", other)):
        save_weights(tmp_path / name, saved)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def _add_bias(network: nn.Sequential) -> None:
    network[0] = nn.Linear(2, 2)


def _drop_layer(network: nn.Sequential) -> None:
    del network[1]


def _widen(network: nn.Sequential) -> None:
    network[1] = nn.Linear(2, 5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_add_bias, r"0\.bias .*\[2\]"),
        (_drop_layer, r"1\.bias .*\[3\]"),
        (_widen, r"1\.weight .*\[3, 2\].*\[5, 2\]"),
    ],
)
def test_weights_of_another_network_are_refused(
    tmp_path: Path, change: object, message: str
) -> None:
    path = tmp_path / "weights.safetensors"
    save_weights(path, nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 3)))
    network = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 3))
    change(network)  # type: ignore[operator]
    with pytest.raises(UserError, match=rf"weights\.safetensors: .*{message}"):
        load_weights(path, network)


def test_a_saved_configuration_can_be_loaded(tmp_path: Path) -> None:
    save_model_config(tmp_path / "toy.json", CONFIG)
    assert load_model_config(tmp_path / "toy.json") == CONFIG


@pytest.mark.parametrize(
    ("text", "key"),
    [("{", ""), ('{"network": "toy"}', "module"), ("[]", "")],
)
def test_invalid_content_is_refused(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "toy.json"
    path.write_text(text)
    with pytest.raises(UserError, match=rf"toy\.json: .*{key}"):
        load_model_config(path)
