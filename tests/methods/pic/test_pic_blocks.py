"""The blocks give the authors' values, written as their layers one after the other."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mdrnets.methods.pic.blocks import ResBlock, ResBlockUp, StartBlock


def _start(block: StartBlock, x: Tensor) -> Tensor:
    first, activation, second = block.main
    main = F.conv2d(activation(first(x)), second.weight, second.bias, padding=1)
    return F.avg_pool2d(main, 2) + block.shortcut[1](F.avg_pool2d(x, 2))


def _down(block: ResBlock, x: Tensor) -> Tensor:
    second = block.main[3]
    main = F.conv2d(block.main[:3](x), second.weight, second.bias, padding=1)
    return F.avg_pool2d(main + block.shortcut(x), 2)


def _up(block: ResBlockUp, x: Tensor) -> Tensor:
    output: Tensor = block.main(x) + block.shortcut(x)
    return output


@pytest.mark.parametrize(
    ("block", "authors"),
    [
        (StartBlock(in_channels=3, out_channels=5), _start),
        (ResBlock(in_channels=3, out_channels=5, hidden=4, down=True), _down),
        (ResBlockUp(in_channels=3, out_channels=5), _up),
    ],
    ids=["start", "down", "up"],
)
def test_values_and_gradients_are_those_of_the_authors_layers(
    block: nn.Module, authors: Callable[[nn.Module, Tensor], Tensor]
) -> None:
    torch.manual_seed(0)
    block.double().eval()
    x = torch.randn(2, 3, 6, 8, dtype=torch.float64, requires_grad=True)
    inputs = [x, *block.parameters()]

    result, expected = block(x), authors(block, x)
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-12)
    weights = torch.randn_like(expected)
    torch.testing.assert_close(
        torch.autograd.grad((result * weights).sum(), inputs),
        torch.autograd.grad((expected * weights).sum(), inputs),
        rtol=0,
        atol=1e-12,
    )
