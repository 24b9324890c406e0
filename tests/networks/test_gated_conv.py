import pytest
import torch
from torch import nn

from mdrnets.networks.gated_conv import GatedConv2d


def _layer(norm: nn.Module | None = None) -> GatedConv2d:
    torch.manual_seed(0)
    return GatedConv2d(in_channels=3, out_channels=4, kernel_size=3, activation=nn.ELU(), norm=norm)


def _set_gate_bias(layer: GatedConv2d, value: float) -> None:
    assert layer.conv.bias is not None
    with torch.no_grad():
        layer.conv.bias[4:] = value  # features first, then gates


def test_a_closed_gate_gives_exactly_zero() -> None:
    layer = _layer()
    _set_gate_bias(layer, float("-inf"))
    assert torch.equal(layer(torch.randn(2, 3, 6, 6)), torch.zeros(2, 4, 6, 6))


def test_an_open_gate_gives_the_activated_convolution() -> None:
    layer = _layer()
    _set_gate_bias(layer, float("inf"))
    x = torch.randn(2, 3, 6, 6)
    assert torch.equal(layer(x), nn.ELU()(layer.conv(x)[:, :4]))


def test_the_norm_sees_the_features_and_never_the_gate() -> None:
    norm = nn.InstanceNorm2d(4)
    x = torch.randn(2, 3, 6, 6)
    features, gate = _layer().conv(x).chunk(2, dim=1)
    expected = nn.ELU()(norm(features)) * torch.sigmoid(gate)
    torch.testing.assert_close(_layer(norm)(x), expected)


@pytest.mark.parametrize(
    ("kernel_size", "stride", "padding", "dilation", "size"),
    [(3, 1, None, 1, 16), (3, 1, None, 4, 16), (5, 2, None, 1, 8), (4, 2, 1, 1, 8)],
)
def test_shapes(
    kernel_size: int, stride: int, padding: int | None, dilation: int, size: int
) -> None:
    layer = GatedConv2d(
        in_channels=2,
        out_channels=3,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        activation=nn.ReLU(),
    )
    assert layer.conv.out_channels == 6
    assert layer(torch.zeros(1, 2, 16, 16)).shape == (1, 3, size, size)


def test_gradients_reach_features_and_gates() -> None:
    layer = _layer()
    layer(torch.randn(1, 3, 6, 6)).square().sum().backward()
    gradient = layer.conv.weight.grad
    assert gradient is not None
    assert (gradient.abs().flatten(1).sum(dim=1) > 0).all()
