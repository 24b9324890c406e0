"""Prepare the batches of coming steps in threads, while the present step computes.

A batch is a function of seed, phase and step, so the batches are the same for any number of
threads.
"""

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import torch

from mdrnets.methods.base import Batch
from mdrnets.training.sampling import BatchSampler, DrawnBatch


def load_batches(
    sampler: BatchSampler, steps: range, *, threads: int
) -> Generator[Batch, None, None]:
    """Yield the batch of each step, on the device. Close the iterator to stop its threads.

    Args:
        sampler: draws the batches.
        steps: steps of the phase.
        threads: each draws up to two batches ahead; with 0, batches are drawn between the steps.
    """
    if not threads:
        yield from map(sampler.batch, steps)
        return
    executor = ThreadPoolExecutor(
        threads, thread_name_prefix="batches", initializer=partial(_use_device, sampler.device)
    )
    drawn: deque[Future[DrawnBatch]] = deque()
    try:
        for step in steps:
            drawn.append(executor.submit(sampler.draw, step))
            if len(drawn) > 2 * threads:
                yield sampler.transfer(drawn.popleft().result())
        while drawn:
            yield sampler.transfer(drawn.popleft().result())
    finally:
        executor.shutdown(cancel_futures=True)


def _use_device(device: torch.device) -> None:
    """Each thread starts with the first GPU, in whose context it would pin memory."""
    if device.type == "cuda":
        torch.cuda.set_device(device)
