import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mdrnets.networks.spade import Resizing, Spade, SpadeResBlock


def _block(in_channels: int, out_channels: int, resizing: Resizing = "nearest") -> SpadeResBlock:
    torch.manual_seed(0)
    return SpadeResBlock(
        in_channels=in_channels,
        out_channels=out_channels,
        guidance_channels=3,
        hidden=5,
        resizing=resizing,
    )


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_scale_and_shift_are_those_of_the_guidance() -> None:
    torch.manual_seed(0)
    layer = Spade(channels=4, guidance_channels=3, hidden=5)
    x, guidance = torch.randn(2, 4, 8, 8), torch.randn(2, 3, 8, 8)
    maps = layer.scale_and_shift(F.relu(layer.hidden[0](guidance)))
    normal = (x - x.mean(dim=(2, 3), keepdim=True)) / torch.sqrt(
        x.var(dim=(2, 3), keepdim=True, correction=0) + 1e-5
    )
    torch.testing.assert_close(layer(x, guidance), normal * (1 + maps[:, :4]) + maps[:, 4:])


def test_without_modulation_it_is_instance_norm() -> None:
    layer = Spade(channels=4, guidance_channels=3, hidden=5)
    nn.init.zeros_(layer.scale_and_shift.weight)
    assert layer.scale_and_shift.bias is not None
    nn.init.zeros_(layer.scale_and_shift.bias)
    x = torch.randn(2, 4, 8, 8) * 3 + 1
    torch.testing.assert_close(layer(x, torch.randn(2, 3, 8, 8)), F.instance_norm(x))


@pytest.mark.parametrize("resizing", ["nearest", "bilinear"])
def test_guidance_of_any_size_is_resized(resizing: Resizing) -> None:
    block = _block(4, 2, resizing)
    x = torch.randn(1, 4, 8, 8)
    for size in (4, 8, 16):
        assert block(x, torch.randn(1, 3, size, size)).shape == (1, 2, 8, 8)
    guidance = torch.randn(1, 3, 4, 4)
    resized = F.interpolate(guidance, size=(8, 8), mode=resizing)
    block.eval()  # otherwise each pass is a step of the power iteration
    assert torch.equal(block(x, guidance), block(x, resized))


def test_the_shortcut_is_the_identity_where_channels_agree() -> None:
    block = _block(4, 4).eval()
    x, guidance = torch.randn(1, 4, 8, 8), torch.randn(1, 3, 8, 8)
    y = block.conv_1(block.activation(block.spade_1(x, guidance)))
    y = block.conv_2(block.activation(block.spade_2(y, guidance)))
    assert torch.equal(block(x, guidance), x + y)


def test_the_shortcut_is_learned_where_channels_change() -> None:
    # hidden 3→5 and 5→2c inside each SPADE; 4→2, 2→2, and 4→2 without bias
    def spade(channels: int) -> int:
        return 3 * 5 * 9 + 5 + 5 * 2 * channels * 9 + 2 * channels

    expected = 2 * spade(4) + spade(2) + (4 * 2 * 9 + 2) + (2 * 2 * 9 + 2) + 4 * 2
    assert _count(_block(4, 2)) == expected


def test_its_convolutions_have_spectral_norm_one_and_those_in_spade_have_not() -> None:
    block = _block(4, 2).train()
    for _ in range(50):  # each pass is one step of the power iteration
        block(torch.randn(1, 4, 8, 8), torch.randn(1, 3, 8, 8))
    block.eval()
    for conv in (block.conv_1, block.conv_2, block.conv_s):
        assert isinstance(conv, nn.Conv2d)
        norm = torch.linalg.matrix_norm(conv.weight.flatten(1), ord=2)
        torch.testing.assert_close(norm, torch.ones(()), rtol=1e-3, atol=1e-3)
    names = {name.split(".")[0] for name, _ in block.named_buffers()}
    assert names == {"conv_1", "conv_2", "conv_s"}


def test_gradients_reach_the_input_and_the_guidance() -> None:
    x = torch.randn(1, 4, 8, 8, requires_grad=True)
    guidance = torch.randn(1, 3, 4, 4, requires_grad=True)
    _block(4, 2)(x, guidance).square().sum().backward()
    assert x.grad is not None
    assert guidance.grad is not None
    assert x.grad.abs().sum() > 0
    assert guidance.grad.abs().sum() > 0
