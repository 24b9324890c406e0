"""Sums along the diagonals of an attention map, for patches that overlap.

If patch i is compared with patch j, then position i + d is compared with position j + d, so two
dimensions of the map are shifted together. Both sums are linear: the backward pass saves nothing.
"""

from typing import Any

import torch
from torch import Tensor


def sum_neighbours(x: Tensor, dims: tuple[int, int]) -> Tensor:
    """x[i − 1, j − 1] + x[i, j] + x[i + 1, j + 1] along two equal dimensions, zeros outside.

    Returns the shape of x.
    """
    output: Tensor = _SumNeighbours.apply(x, dims)  # type: ignore[no-untyped-call]
    return output


def sum_covering(x: Tensor, dims: tuple[int, int]) -> Tensor:
    """x[i − 1, j − 1] + x[i, j] along two equal dimensions, zeros outside.

    From patches that cover two cells each to the cells: both dimensions grow by one.
    """
    output: Tensor = _SumCovering.apply(x, dims)  # type: ignore[no-untyped-call]
    return output


class _SumNeighbours(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, int]) -> Tensor:
        ctx.dims = dims
        count = x.shape[dims[0]] - 1
        output = x.clone()
        _part(output, dims, 1, count).add_(_part(x, dims, 0, count))
        _part(output, dims, 0, count).add_(_part(x, dims, 1, count))
        return output

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return sum_neighbours(grad, ctx.dims), None  # its own adjoint


class _SumCovering(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, int]) -> Tensor:
        ctx.dims = dims
        count = x.shape[dims[0]]
        output = x.new_empty([n + (dim in dims) for dim, n in enumerate(x.shape)])
        for dim in dims:
            output.select(dim, count).zero_()
        _part(output, dims, 0, count).copy_(x)
        _part(output, dims, 1, count).add_(x)
        return output

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        count = grad.shape[ctx.dims[0]] - 1
        return _part(grad, ctx.dims, 0, count) + _part(grad, ctx.dims, 1, count), None


def _part(x: Tensor, dims: tuple[int, int], start: int, count: int) -> Tensor:
    first, second = dims
    return x.narrow(first, start, count).narrow(second, start, count)
