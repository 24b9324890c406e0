"""Collective operations of the ranks of one training; no-ops in a single process.

Each rank trains on its share of every batch. Everything computed from a share that outlasts the
step (gradients, the memory, codebooks, statistics) is combined here, so that all ranks hold the
same values.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def world_size() -> int:
    """The number of processes that train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


@torch.no_grad()
def all_reduce_sum(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its sum over the ranks. All tensors must have the same dtype."""
    if world_size() > 1:
        _send_as_one_message(tensors, dist.all_reduce)


@torch.no_grad()
def all_reduce_mean(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its mean over the ranks. All tensors must have the same dtype."""
    all_reduce_sum(tensors)
    if world_size() > 1:
        for tensor in tensors:
            tensor.div_(world_size())


@torch.no_grad()
def broadcast(tensors: Iterable[Tensor]) -> None:
    """Replace each tensor by that of rank 0."""
    if world_size() > 1:
        by_dtype: dict[torch.dtype, list[Tensor]] = {}
        for tensor in tensors:
            by_dtype.setdefault(tensor.dtype, []).append(tensor)
        for same_dtype in by_dtype.values():
            _send_as_one_message(same_dtype, partial(dist.broadcast, src=0))


def all_reduce_max(number: int) -> int:
    """Return the largest of the ranks' numbers, exchanged without waiting for a GPU."""
    if world_size() == 1:
        return number
    message = torch.tensor(number)
    dist.all_reduce(message, op=dist.ReduceOp.MAX, group=_cpu_group())
    return int(message)


@cache
def _cpu_group() -> Any:
    """All ranks, for tensors on the CPU, even if the training runs on GPUs."""
    return dist.new_group(backend="gloo")


def average_statistics(network: nn.Module) -> None:
    """Average BatchNorm's running statistics over the ranks, for the layers in training mode.

    Each rank normalises by the statistics of its own share, as is usual in data-parallel training.
    Therefore the running variance does not include the variance between the shares' means.
    """
    running = [m for m in network.modules() if isinstance(m, _BatchNorm) and m.training]
    all_reduce_mean([s for m in running for s in (m.running_mean, m.running_var) if s is not None])


def _send_as_one_message(tensors: Sequence[Tensor], send: Callable[[Tensor], Any]) -> None:
    """Change all tensors with one collective call: many small messages are slow."""
    sizes = [tensor.numel() for tensor in tensors]
    if sum(sizes):
        message = torch.cat([tensor.flatten() for tensor in tensors])
        send(message)
        for tensor, part in zip(tensors, torch.split(message, sizes), strict=True):
            tensor.copy_(part.view_as(tensor))
