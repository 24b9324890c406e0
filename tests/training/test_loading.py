import threading
from contextlib import closing

import pytest
import torch

from mdrnets.errors import UserError
from mdrnets.methods.base import Batch
from mdrnets.training.loading import load_batches
from mdrnets.training.sampling import BatchSampler, DrawnBatch
from tests.helpers.toy import toy_data


def _sampler() -> BatchSampler:
    return BatchSampler(
        data=toy_data(),
        seed=1,
        phase=0,
        batch_size=4,
        labels=True,
        device=torch.device("cpu"),
        image_map=lambda image: image[..., 0] > 127,
    )


def _bytes(batch: Batch) -> list[bytes]:
    assert batch.labels is not None and batch.image_map is not None
    tensors = (batch.image, batch.hole, batch.labels, batch.image_map)
    return [tensor.numpy().tobytes() for tensor in tensors]


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_batches_are_the_same_for_any_number_of_threads(threads: int) -> None:
    steps = range(3, 14)
    with closing(load_batches(_sampler(), steps, threads=threads)) as batches:
        loaded = [_bytes(batch) for batch in batches]
    assert loaded == [_bytes(_sampler().batch(step)) for step in steps]


def test_few_steps_are_drawn_ahead_and_all_threads_end_with_the_loader() -> None:
    sampler, results = _sampler(), []

    def draw(step: int) -> DrawnBatch:
        results.append(step)
        return BatchSampler.draw(sampler, step)

    sampler.draw = draw  # type: ignore[method-assign]
    before = threading.active_count()
    with closing(load_batches(sampler, range(1, 1000), threads=2)) as batches:
        next(batches)
        assert threading.active_count() > before
    assert len(results) <= 5
    assert threading.active_count() == before


@pytest.mark.parametrize("threads", [0, 2])
def test_an_error_in_a_thread_reaches_the_training(threads: int) -> None:
    sampler = _sampler()

    def draw(step: int) -> DrawnBatch:
        raise UserError(f"step {step}")

    sampler.draw = draw  # type: ignore[method-assign]
    with pytest.raises(UserError, match="step 1"):
        next(load_batches(sampler, range(1, 3), threads=threads))
