from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mdrnets.methods.mdrnets.refinement import GatedResBlock, RefinementNetwork


def _network(**changes: Any) -> RefinementNetwork:
    torch.manual_seed(0)
    sizes: dict[str, Any] = {
        "width": 4,
        "halvings": 3,
        "dilations": (1, 2),
        "norm": "instance",
        "guidance_channels": 5,
        "spade_hidden": 3,
        "resizing": "bilinear",
    }
    return RefinementNetwork(**sizes | changes)


def _full_size() -> RefinementNetwork:
    with torch.device("meta"):
        return _network(width=64, dilations=(1, 2, 4, 8), guidance_channels=256, spade_hidden=128)


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_it_has_the_calculated_number_of_parameters() -> None:
    network = _full_size()
    assert _count(network) == 61_277_891
    parts = {"encoder": 5_532_032, "middle": 37_756_928, "decoder": 17_987_200}
    assert {name: _count(getattr(network, name)) for name in parts} == parts


def test_it_has_the_calculated_cost() -> None:
    network = _full_size()
    with torch.device("meta"):
        inputs = torch.zeros(1, 3, 256, 256), torch.zeros(1, 1, 256, 256)
        guidance = torch.zeros(1, 256, 128, 128)
    with FlopCounterMode(display=False) as counter:
        x = network.encoder(torch.cat(inputs, dim=1))
        encoder = counter.get_total_flops() / 2e9
        network.middle(x)
        middle = counter.get_total_flops() / 2e9 - encoder
    with FlopCounterMode(display=False) as counter:
        network(*inputs, guidance)
    last = 64 * 3 * 9 * 256**2 / 1e9  # of the layer to the image
    decoder = counter.get_total_flops() / 2e9 - encoder - middle - last
    assert [round(cost, 1) for cost in (encoder, middle, decoder)] == [14.5, 38.7, 191.9]


@pytest.mark.parametrize("halvings", [2, 3])
def test_the_output_is_an_image_and_the_bottleneck_is_halved(halvings: int) -> None:
    network = _network(halvings=halvings)
    masked, hole = torch.rand(2, 3, 32, 24), torch.zeros(2, 1, 32, 24)
    bottleneck = network.middle(network.encoder(torch.cat([masked, hole], dim=1)))
    part = 2**halvings
    assert bottleneck.shape == (2, 4 * part, 32 // part, 24 // part)
    for size in (4, 16, 40):  # guidance of any size
        output = network(masked, hole, torch.rand(2, 5, size, size))
        assert output.shape == (2, 3, 32, 24)
        assert output.abs().max() <= 1


def test_the_guidance_decides_the_output() -> None:
    network = _network().eval()
    masked, hole = torch.rand(1, 3, 32, 32), torch.zeros(1, 1, 32, 32)
    first = network(masked, hole, torch.rand(1, 5, 16, 16))
    second = network(masked, hole, torch.rand(1, 5, 16, 16))
    assert (first - second).abs().mean() > 1e-3


def test_constant_input_gives_no_nan() -> None:
    """A wholly masked image is constant, and instance norm divides by its deviation."""
    network = _network()
    output = network(torch.zeros(1, 3, 32, 32), torch.ones(1, 1, 32, 32), torch.zeros(1, 5, 16, 16))
    output.sum().backward()
    assert torch.isfinite(output).all()
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    assert gradients and all(torch.isfinite(gradient).all() for gradient in gradients)


def test_every_parameter_and_the_guidance_get_a_gradient() -> None:
    network = _network()
    guidance = torch.rand(1, 5, 16, 16, requires_grad=True)
    masked = torch.rand(1, 3, 32, 32)
    network(masked, torch.ones(1, 1, 32, 32), guidance).square().sum().backward()
    assert guidance.grad is not None
    assert guidance.grad.abs().sum() > 0
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


def test_a_residual_block_sees_as_far_as_its_dilation() -> None:
    torch.manual_seed(0)
    block = GatedResBlock(channels=2, dilation=4, norm="none")  # a norm sees the whole map
    x = torch.randn(1, 2, 21, 21, requires_grad=True)
    block(x)[0, :, 10, 10].sum().backward()
    assert x.grad is not None
    touched = x.grad[0].abs().sum(dim=(0, 1)).nonzero()
    assert (int(touched.min()), int(touched.max())) == (5, 15)


def test_the_norm_of_gated_convolutions_is_an_option() -> None:
    def norms(network: nn.Module) -> int:
        return sum(isinstance(layer, nn.InstanceNorm2d) for layer in network.modules())

    for norm, expected in (("none", 0), ("instance", 4 + 2 * 2)):
        network = _network(norm=norm)
        assert norms(network.encoder) + norms(network.middle) == expected


def test_the_guidance_is_resized_as_the_option_says() -> None:
    x, hole = torch.rand(1, 3, 32, 32), torch.zeros(1, 1, 32, 32)
    coarse = torch.rand(1, 5, 2, 2)  # smaller than every block: bilinear resizing blurs it
    blocks = coarse.repeat_interleave(16, dim=2).repeat_interleave(16, dim=3)
    nearest, bilinear = (_network(resizing=way).eval() for way in ("nearest", "bilinear"))
    torch.testing.assert_close(nearest(x, hole, coarse), nearest(x, hole, blocks))
    assert not torch.equal(bilinear(x, hole, coarse), nearest(x, hole, coarse))
