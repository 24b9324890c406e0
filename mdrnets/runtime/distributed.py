"""What the processes of one training work out together; in a lone process nothing happens.

Each rank trains on its share of every batch. Whatever of that share lasts longer than the step
(gradients, the memory, codebooks, statistics) is combined here, so that all ranks stay alike.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


def ranks() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


@torch.no_grad()
def all_reduce_sum(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its sum over the ranks. Args: tensors: of one type."""
    if ranks() > 1:
        _as_one_message(tensors, dist.all_reduce)


@torch.no_grad()
def all_reduce_mean(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its mean over the ranks. Args: tensors: of one type."""
    all_reduce_sum(tensors)
    if ranks() > 1:
        for tensor in tensors:
            tensor.div_(ranks())


@torch.no_grad()
def broadcast(tensors: Iterable[Tensor]) -> None:
    """Replace each tensor by that of rank 0."""
    if ranks() > 1:
        by_type: dict[torch.dtype, list[Tensor]] = {}
        for tensor in tensors:
            by_type.setdefault(tensor.dtype, []).append(tensor)
        for alike in by_type.values():
            _as_one_message(alike, partial(dist.broadcast, src=0))


def all_reduce_max(number: int, device: torch.device) -> int:
    """Of the numbers that the ranks pass. Args: device: of the training."""
    if ranks() == 1:
        return number
    message = torch.tensor(number, device=device)
    dist.all_reduce(message, op=dist.ReduceOp.MAX)
    return int(message)


def average_statistics(network: nn.Module) -> None:
    """Make BatchNorm's running statistics, where they run, the means of all ranks'.

    A rank normalises by the statistics of its own share, as is usual in data-parallel training; so
    the variance between the shares' means is no part of the running variance.
    """
    running = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d) and m.training]
    all_reduce_mean([s for m in running for s in (m.running_mean, m.running_var) if s is not None])


def _as_one_message(tensors: Sequence[Tensor], send: Callable[[Tensor], Any]) -> None:
    """Let the process group change all tensors at once: a message costs more than its bytes."""
    sizes = [tensor.numel() for tensor in tensors]
    if sum(sizes):
        message = torch.cat([tensor.flatten() for tensor in tensors])
        send(message)
        for tensor, part in zip(tensors, message.split(sizes), strict=True):
            tensor.copy_(part.view_as(tensor))
