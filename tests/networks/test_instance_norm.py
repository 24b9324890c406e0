"""Instance normalisation: PyTorch's, and full precision of the statistics under autocast."""

import torch
from torch import nn

from mdrnets.networks.instance_norm import InstanceNorm2d


def test_float32_is_normalised_as_pytorch_does() -> None:
    x = torch.randn(2, 3, 8, 8) + 20
    assert torch.equal(InstanceNorm2d(3)(x), nn.InstanceNorm2d(3)(x))


def test_bfloat16_has_statistics_of_full_precision() -> None:
    """A mean of 20 has an error of up to 0.06 in bfloat16, which is no rounding of the output."""
    x = (torch.randn(4, 3, 32, 32) + 20).bfloat16().requires_grad_()
    copy = x.detach().float().requires_grad_()
    expected = nn.InstanceNorm2d(3)(copy)
    normalised = InstanceNorm2d(3)(x)
    assert normalised.dtype == torch.bfloat16
    torch.testing.assert_close(normalised.float(), expected, rtol=2**-8, atol=1e-5)

    weight = torch.randn(expected.shape).bfloat16()
    (normalised * weight).sum().backward()
    (expected * weight.float()).sum().backward()
    assert x.grad is not None and copy.grad is not None
    torch.testing.assert_close(x.grad.float(), copy.grad, rtol=2**-6, atol=1e-2)
