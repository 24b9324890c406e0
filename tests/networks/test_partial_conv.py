from collections.abc import Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from mdrnets.networks.partial_conv import Part, PartialConv2d


def _conv(
    *, channels: int = 3, out: int = 4, kernel: int = 3, stride: int = 1, bias: bool = False
) -> PartialConv2d:
    torch.manual_seed(0)
    conv = PartialConv2d(
        in_channels=channels, out_channels=out, kernel_size=kernel, stride=stride, bias=bias
    )
    if conv.bias is not None:
        torch.nn.init.normal_(conv.bias)
    return conv


def _part(*, channels: int = 3, size: int = 12, share: float = 0.3, seed: int = 1) -> Part:
    """Random features, valid at about this share of the positions."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(2, channels, size, size, generator=generator)
    valid = (torch.rand(2, 1, size, size, generator=generator) < share).float()
    return features, valid


def _by_the_paper(conv: PartialConv2d, parts: Sequence[Part]) -> Part:
    """Equations 1 and 2 literally, with a mask of as many channels as there are features."""
    features = torch.cat([x for x, _ in parts], dim=1)
    valid = torch.cat([m.expand_as(x) for x, m in parts], dim=1)
    weight, stride, padding = conv.conv.weight, conv.stride, conv.kernel_size // 2
    raw = F.conv2d(features * valid, weight, stride=stride, padding=padding)
    ones = torch.ones(1, *weight.shape[1:])
    count = F.conv2d(valid, ones, stride=stride, padding=padding)
    output = raw * weight[0].numel() / count + (0 if conv.bias is None else conv.bias)
    return torch.where(count > 0, output, 0), (count > 0).float()


@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("bias", [False, True])
def test_it_is_the_papers_equation(kernel: int, stride: int, bias: bool) -> None:
    conv = _conv(kernel=kernel, stride=stride, bias=bias)
    part = _part(share=0.5 / kernel**2)
    output, valid = conv([part])
    expected, expected_valid = _by_the_paper(conv, [part])
    torch.testing.assert_close(output, expected)
    assert torch.equal(valid, expected_valid)
    assert 0 < valid.mean() < 1  # the case says something about both branches


def test_several_parts_have_each_their_own_validity() -> None:
    conv = _conv(channels=8, bias=True)
    parts = [_part(channels=5, share=0.05, seed=1), _part(channels=3, share=0.1, seed=2)]
    output, valid = conv(parts)
    expected, expected_valid = _by_the_paper(conv, parts)
    torch.testing.assert_close(output, expected)
    assert torch.equal(valid, expected_valid)


def test_a_valid_part_makes_the_output_valid_and_sets_the_ratio() -> None:
    conv = _conv(channels=5, out=1)
    torch.nn.init.ones_(conv.conv.weight)
    features, holes = _part(channels=2, share=0.5)
    full = torch.ones(2, 3, 12, 12), torch.ones(2, 1, 12, 12)
    output, valid = conv([full, (torch.zeros_like(features), holes)])
    assert torch.equal(valid, torch.ones_like(valid))
    box = F.avg_pool2d(holes, 3, 1, divisor_override=1)
    ratio = 5 * 9 / (3 * 9 + 2 * box)  # (C₁ + C₂) k² / (C₁ k² + C₂ box(m₂)), away from the border
    torch.testing.assert_close(output[..., 1:-1, 1:-1], ratio * 3 * 9)


def test_without_holes_it_is_a_convolution_inside_and_renormalised_at_the_border() -> None:
    conv = _conv(kernel=5, stride=2)
    image = torch.randn(1, 3, 16, 16)
    output, _ = conv([(image, torch.ones(1, 1, 16, 16))])
    plain = F.conv2d(image, conv.conv.weight, stride=2, padding=2)
    torch.testing.assert_close(output[..., 1:-1, 1:-1], plain[..., 1:-1, 1:-1])
    torch.testing.assert_close(output[..., 0, 0], plain[..., 0, 0] * 25 / 9)


def test_pixels_in_the_hole_do_not_change_the_output() -> None:
    conv = _conv(bias=True)
    features, valid = _part()
    filled = torch.where(valid > 0, features, 1000.0)
    assert torch.equal(conv([(features, valid)])[0], conv([(filled, valid)])[0])


def test_an_image_that_is_all_hole_gives_zeros_and_finite_gradients() -> None:
    conv = _conv(bias=True)
    image = torch.randn(1, 3, 8, 8, requires_grad=True)
    output, valid = conv([(image, torch.zeros(1, 1, 8, 8))])
    assert not output.any() and not valid.any()
    output.sum().backward()
    for tensor in (image, *conv.parameters()):
        assert tensor.grad is not None and torch.isfinite(tensor.grad).all()


def test_a_still_invalid_position_is_exactly_zero_in_spite_of_the_bias() -> None:
    output, valid = _conv(bias=True)([_part(share=0.03)])
    assert not (output * (1 - valid)).any()
    assert (output * valid).any()


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (5, 1), (3, 2), (5, 2), (7, 2)])
@pytest.mark.parametrize(("first", "last"), [(20, 43), (21, 40), (19, 24)])
def test_a_hole_shrinks_by_the_rule(kernel: int, stride: int, first: int, last: int) -> None:
    valid = torch.ones(1, 1, 64, 64)
    valid[..., first : last + 1, first : last + 1] = 0
    conv = _conv(channels=1, out=1, kernel=kernel, stride=stride)
    _, after = conv([(valid, valid)])
    p = kernel // 2
    side = max(0, (last - p) // stride - -(-(first + p) // stride) + 1)
    assert int((1 - after).sum()) == side**2


def test_validity_is_binary_and_never_shrinks() -> None:
    features, valid = _part(share=0.05, size=32)
    _, after = _conv(stride=2)([(features, valid)])
    assert set(after.unique().tolist()) == {0.0, 1.0}
    assert (after >= F.max_pool2d(valid, 2)).all()


def test_it_is_linear_without_a_bias() -> None:
    conv = _conv()
    features, valid = _part()
    torch.testing.assert_close(conv([(7 * features, valid)])[0], 7 * conv([(features, valid)])[0])


def test_a_constant_image_stays_constant_wherever_it_is_valid() -> None:
    conv = _conv(kernel=5)
    torch.nn.init.constant_(conv.conv.weight, 0.1)
    _, valid = _part(share=0.05)
    output, after = conv([(torch.full((2, 3, 12, 12), 0.3), valid)])
    expected = 0.1 * 0.3 * 3 * 5**2
    assert expected == pytest.approx(2.25)
    torch.testing.assert_close(output, expected * after.expand_as(output))


def test_gradients_agree_with_differences() -> None:
    conv = _conv(bias=True).double()
    features, valid = _part(size=5)
    features, valid = features.double().requires_grad_(), valid.double()

    def output(x: Tensor) -> Tensor:
        return conv([(x, valid)])[0]

    assert torch.autograd.gradcheck(output, features)


def test_no_gradient_flows_through_validity() -> None:
    features, valid = _part()
    valid.requires_grad_()
    _, after = _conv()([(features, valid)])
    assert not after.requires_grad
