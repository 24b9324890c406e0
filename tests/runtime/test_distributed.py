"""Alone; what several ranks combine is in `training/test_two_ranks.py`."""

import torch

from mdrnets.runtime.distributed import (
    all_reduce_max,
    all_reduce_mean,
    all_reduce_sum,
    average_statistics,
    broadcast,
    world_size,
)


def test_a_lone_process_changes_nothing() -> None:
    tensor, norm = torch.arange(3.0), torch.nn.BatchNorm2d(2)
    running = torch.rand(2)
    norm.running_mean = running.clone()
    for combine in (all_reduce_sum, all_reduce_mean, broadcast):
        combine([tensor])
    average_statistics(norm)
    assert world_size() == 1
    assert tensor.tolist() == [0, 1, 2] and torch.equal(norm.running_mean, running)
    assert all_reduce_max(3) == 3
