import math

import pytest
import torch
from torch import nn

from mdrnets.networks.sn_patchgan import SNPatchGAN


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _convolutions(network: nn.Module) -> list[nn.Conv2d]:
    return [module for module in network.modules() if isinstance(module, nn.Conv2d)]


def test_it_has_the_published_size() -> None:
    network = SNPatchGAN(in_channels=4)
    assert _count(network) == 5_946_816
    assert [_count(conv) for conv in _convolutions(network)] == [
        6_464, 204_928, 819_456, 1_638_656, 1_638_656, 1_638_656,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("layers", "base", "size"),
    [(5, 64, 4_308_160), (5, 32, 1_078_880), (4, 64, 2_669_504), (4, 32, 669_152)],
)
def test_it_has_the_expected_size_when_scaled_down(layers: int, base: int, size: int) -> None:
    assert _count(SNPatchGAN(in_channels=4, base=base, layers=layers)) == size


def test_all_of_the_last_map_is_the_verdict() -> None:
    assert SNPatchGAN(in_channels=4)(torch.zeros(1, 4, 256, 256)).shape == (1, 256, 4, 4)
    small = SNPatchGAN(in_channels=4, base=8, layers=4)
    assert small(torch.zeros(2, 4, 64, 64)).shape == (2, 32, 4, 4)


def test_the_last_layer_has_its_activation_too() -> None:
    network = SNPatchGAN(in_channels=4, base=2, layers=3)
    bias = _convolutions(network)[-1].bias
    assert bias is not None
    nn.init.constant_(bias, -1.0)
    logits = network(torch.zeros(1, 4, 16, 16))  # the other biases are zero
    torch.testing.assert_close(logits, torch.full_like(logits, -0.2))


def test_every_convolution_has_spectral_norm_one() -> None:
    torch.manual_seed(0)
    network = SNPatchGAN(in_channels=4, base=4, layers=4).train()
    for _ in range(200):  # each pass is one step of the power iteration
        network(torch.zeros(1, 4, 16, 16))
    network.eval()
    for conv in _convolutions(network):
        norm = torch.linalg.matrix_norm(conv.weight.flatten(1), ord=2)
        torch.testing.assert_close(norm, torch.ones(()), rtol=1e-3, atol=1e-3)


def test_weights_start_as_glorot_and_bengio_have_it() -> None:
    torch.manual_seed(0)
    for conv in _convolutions(SNPatchGAN(in_channels=4, base=8, layers=4)):
        raw = conv.get_parameter("parametrizations.weight.original")
        bound = math.sqrt(6 / (25 * (conv.in_channels + conv.out_channels)))
        assert 0.95 * bound < raw.abs().max().item() <= bound
        assert conv.bias is not None and not conv.bias.any()
