from collections.abc import Callable
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from mdrnets.errors import UserError
from mdrnets.losses.pconv import PConvLoss, PConvWeights
from mdrnets.methods.base import Batch, BuildContext, Phase, Trainable
from mdrnets.methods.mdrnets.coarse import Coarse, Options, build
from mdrnets.networks.frozen import freeze

RunSteps = Callable[[Trainable, Phase, Batch, int], list[dict[str, float]]]


@pytest.fixture
def network(context: BuildContext) -> Coarse:
    return _network(context)


def _network(context: BuildContext, **changes: Any) -> Coarse:
    torch.manual_seed(0)
    values = {"steps": 9, "batch_size": 2, "levels": 4, "width": 4, "max_width": 16} | changes
    return build(options=Options.model_validate(values), context=context)


def test_the_full_size_network_is_pconvs(context: BuildContext) -> None:
    with torch.device("meta"):
        network = build(
            options=Options(steps=1),
            context=BuildContext(image_size=256, features=context.features),
        )
    assert sum(parameter.numel() for parameter in network.parameters()) == 25_779_796


def test_it_learns_to_fill_the_holes(
    context: BuildContext, batch: Batch, run_steps: RunSteps
) -> None:
    network = _network(context, lr=5e-3)
    (phase,) = network.phases()
    assert not phase.labels
    history = run_steps(network, phase, batch, 60)
    assert history[-1]["hole"] < 0.6 * history[0]["hole"]
    assert sum(history[-1].values()) < 0.6 * sum(history[0].values())


def test_the_terms_are_pconvs_with_the_options_weights(context: BuildContext, batch: Batch) -> None:
    network = _network(context, weights={"valid": 2, "style": 3})
    weights = PConvWeights(valid=2, style=3)
    assert network.options.weights == weights
    (update,) = network.phases()[0].train_step(batch)
    loss = PConvLoss(features=context.features("vgg16"), weights=weights)
    expected = loss(output=network(batch.masked, batch.hole), image=batch.image, hole=batch.hole)
    assert list(update.terms) == list(expected)
    for name, term in expected.items():
        torch.testing.assert_close(update.terms[name], term)


def test_frozen_it_leads_gradients_to_the_valid_pixels(network: Coarse, batch: Batch) -> None:
    masked = batch.masked.requires_grad_()
    freeze(network)(masked, batch.hole).square().mean().backward()

    assert masked.grad is not None
    assert (masked.grad * (1 - batch.hole)).abs().sum() > 0
    assert (masked.grad * batch.hole).abs().sum() == 0


@pytest.mark.parametrize("everywhere", [0.0, 1.0])
def test_empty_and_full_holes_can_be_trained_on(
    network: Coarse, batch: Batch, run_steps: RunSteps, everywhere: float
) -> None:
    extreme = Batch(batch.image, torch.full_like(batch.hole, everywhere))
    run_steps(network, network.phases()[0], extreme, 2)  # asserts that the loss is finite
    for name, value in network.state_dict().items():
        assert value.isfinite().all(), name


def test_the_schedule_is_one_phase_with_the_optimiser_of_mdrnets(network: Coarse) -> None:
    (phase,) = network.phases()
    optimiser = phase.optimisers["coarse"]
    assert isinstance(optimiser, torch.optim.Adam)
    (group,) = optimiser.param_groups
    assert (group["lr"], group["betas"], group["weight_decay"]) == (2e-4, (0.9, 0.99), 0)
    assert (phase.steps, phase.batch_size, phase.schedulers) == (9, 2, {})


def test_an_image_size_that_cannot_be_halved_so_often_is_refused(context: BuildContext) -> None:
    with pytest.raises(UserError, match=r"^levels: "):
        build(options=Options(steps=1), context=context)


def test_options_are_checked() -> None:
    assert Options.model_validate({"steps": 1, "weights": {"hole": 3}}).weights.hole == 3
    for bad in ({"levels": 0}, {"weights": {"hole": -1.0}}, {"weights": {"l1": 1.0}}, {"lr": 0.0}):
        with pytest.raises(ValidationError):
            Options.model_validate({"steps": 1} | bad)
