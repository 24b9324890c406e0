"""What every network and every method keeps to; `test_resume.py` has the bytes of trainings."""

from collections.abc import Sequence

import pytest
import torch

from mdrnets.methods.base import Batch, Method, Phase, Trainable
from tests.helpers.run_steps import run_steps
from tests.helpers.seen_results import SeenResults
from tests.helpers.tiny import PARAMS, TRAINED
from tests.helpers.tiny_networks import tiny_data, tiny_network

METHODS = [name for name in PARAMS["methods"] if name in TRAINED]


@pytest.fixture(scope="module")
def batch() -> Batch:
    data = tiny_data()
    assert data.labels is not None
    return Batch(
        image=torch.from_numpy(data.images[:2]).permute(0, 3, 1, 2) / 127.5 - 1,
        hole=torch.from_numpy(data.holes[:2, None]).float(),
        labels=torch.from_numpy(data.labels[:2]).long(),
    )


def _start(name: str) -> tuple[Trainable, Sequence[Phase]]:
    """A network at the start of its phases, and these."""
    trainable = tiny_network(name)
    phases = trainable.phases()
    for phase in phases:
        if phase.on_start is not None:
            phase.on_start(tiny_data().images)
    return trainable, phases


def _complete(method: Method, batch: Batch, *, seed: int = 0, masked: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return method.complete(masked, batch.hole, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", TRAINED)
def test_an_update_computes_no_gradients_in_vain(name: str, batch: Batch) -> None:
    """A generator's loss, for example, computes none for the discriminator's weights."""
    trainable, phases = _start(name)
    for phase in phases:
        trainable.train()
        phase.on_enter()
        for update in phase.train_step(batch):
            torch.stack(list(update.terms.values())).sum().backward()
            groups = phase.optimisers[update.optimiser].param_groups
            own = {parameter for group in groups for parameter in group["params"]}
            given = {p for p in trainable.parameters() if p.grad is not None}
            assert given and given <= own
            trainable.zero_grad()


@pytest.mark.parametrize("name", TRAINED)
def test_half_precision_trains_and_completes(name: str, batch: Batch) -> None:
    trainable, phases = _start(name)
    with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
        for phase in phases:
            run_steps(trainable, phase, batch, 2)
        if isinstance(trainable, Method):
            output = _complete(trainable.eval(), batch, masked=batch.masked)
            assert output.isfinite().all()


@pytest.mark.parametrize("name", TRAINED)
def test_losses_and_correlations_have_full_precision_under_autocast(
    name: str, batch: Batch
) -> None:
    trainable, phases = _start(name)
    trainable.train()
    results = SeenResults()
    for phase in phases:
        phase.on_enter()
        with torch.autocast("cpu", torch.bfloat16, cache_enabled=False), results:
            updates = list(phase.train_step(batch))
        for update in updates:
            assert {term.dtype for term in update.terms.values()} == {torch.float32}
    attention = {
        dtype
        for operation, dimensions, dtype in results.seen
        if operation is torch.ops.aten._softmax.default and dimensions == 3
    }
    assert attention <= {torch.float32}


@pytest.mark.parametrize("name", METHODS)
def test_completions_follow_the_seed_and_the_valid_pixels_alone(name: str, batch: Batch) -> None:
    """Where no sample is drawn, also not the other images of the batch."""
    method, _ = _start(name)
    assert isinstance(method.eval(), Method)
    first = _complete(method, batch, masked=batch.masked)
    assert first.shape == batch.image.shape and first.abs().max() <= 1
    for content in (batch.image, batch.masked + 1000 * batch.hole):
        assert torch.equal(_complete(method, batch, masked=content), first)
    samples = not torch.equal(_complete(method, batch, seed=1, masked=batch.masked), first)
    assert samples == (name in ("pic", "dsi", "ict"))
    if not samples:
        alone = method.complete(batch.masked[1:], batch.hole[1:], torch.Generator())
        torch.testing.assert_close(alone, first[1:])


@pytest.mark.parametrize("name", TRAINED)
def test_frozen_networks_are_not_saved(name: str) -> None:
    trainable = tiny_network(name)
    names = set(trainable.state_dict())
    trainable.phases()
    assert set(trainable.state_dict()) == names
    assert not any(name.startswith(tuple(trainable._frozen)) for name in names)
