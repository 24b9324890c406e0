import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from mdrnets.errors import UserError
from mdrnets.methods.base import Batch, BuildContext, Phase
from mdrnets.methods.pconv import Options, PConv, build

TINY = {"steps": 10, "batch_size": 2, "levels": 3, "width": 4, "max_width": 8}
RunSteps = Callable[..., list[dict[str, float]]]


def _build(context: BuildContext, **changes: Any) -> PConv:
    torch.manual_seed(0)
    method = build(options=Options.model_validate(TINY | changes), context=context)
    assert isinstance(method, PConv)
    return method


def _decoder_norms(method: PConv) -> list[nn.BatchNorm2d]:
    return [m for m in method.network.decoder.modules() if isinstance(m, nn.BatchNorm2d)]


def _means(norms: list[nn.BatchNorm2d]) -> Tensor:
    """Their running means, end to end."""
    return torch.cat([norm.get_buffer("running_mean") for norm in norms])


def _parameter_ids(phase: Phase) -> set[int]:
    groups = phase.optimisers["network"].param_groups
    return {id(parameter) for group in groups for parameter in group["params"]}


def test_defaults_build_the_published_network(context: BuildContext) -> None:
    with torch.device("meta"):
        method = build(
            options=Options.model_validate({"steps": 10}),
            context=replace(context, image_size=256),
        )
        assert sum(p.numel() for p in method.parameters()) == 25_779_796


def test_vgg16_is_asked_for(context: BuildContext) -> None:
    assert _build(context).frozen("features").name == "vgg16"


@pytest.mark.parametrize(("steps", "split"), [(10, [7, 3]), (1000, [700, 300]), (2, [1, 1])])
def test_seven_tenths_of_the_steps_are_the_first_phase(
    context: BuildContext, steps: int, split: list[int]
) -> None:
    assert [phase.steps for phase in _build(context, steps=steps).phases()] == split


def test_the_second_phase_has_its_own_optimiser_without_the_frozen_parameters(
    context: BuildContext,
) -> None:
    method = _build(context)
    initial, finetune = method.phases()
    assert initial.name != finetune.name
    assert initial.optimisers["network"].defaults["lr"] == 2e-4
    assert finetune.optimisers["network"].defaults["lr"] == 5e-5
    frozen = {id(p) for norm in method.network.encoder_norms() for p in norm.parameters()}
    assert _parameter_ids(initial) == {id(p) for p in method.parameters()}
    assert _parameter_ids(initial) - _parameter_ids(finetune) == frozen
    assert len(frozen) == 4


def test_the_encoders_norms_stand_still_in_the_second_phase(
    context: BuildContext, batch: Batch, run_steps: RunSteps
) -> None:
    method = _build(context)
    initial, finetune = method.phases()
    encoder, decoder = method.network.encoder_norms(), _decoder_norms(method)

    start = _means(encoder), _means(decoder)
    run_steps(method, initial, batch, 2)
    middle = _means(encoder), _means(decoder)
    assert not torch.equal(start[0], middle[0])

    affine = [p.clone() for norm in encoder for p in norm.parameters()]
    run_steps(method, finetune, batch, 2)
    assert method.train() is method
    assert not any(norm.training for norm in encoder)
    assert torch.equal(_means(encoder), middle[0])
    assert not torch.equal(_means(decoder), middle[1])
    after = [p for norm in encoder for p in norm.parameters()]
    assert all(torch.equal(x, y) for x, y in zip(after, affine, strict=True))


def test_training_lowers_the_loss(context: BuildContext, batch: Batch, run_steps: RunSteps) -> None:
    method = _build(context, lr=1e-2, finetune_lr=1e-2)
    initial, finetune = method.phases()
    history = [sum(terms.values()) for terms in run_steps(method, initial, batch, 12)]
    assert history[-1] < 0.6 * history[0]
    history = [sum(terms.values()) for terms in run_steps(method, finetune, batch, 12)]
    assert history[-1] < history[0]


def test_completions_are_confined_though_the_network_is_not(
    context: BuildContext, batch: Batch
) -> None:
    method = _build(context).eval()
    with torch.no_grad():
        method.network.get_parameter("decoder.2.conv.conv.weight").mul_(10)
    raw = method.network(batch.masked, batch.hole)
    completed = method.complete(batch.masked, batch.hole, torch.Generator())
    assert raw.abs().max() > 1
    assert torch.equal(completed, raw.clamp(-1, 1))


@pytest.mark.parametrize("image_size", [8, 28, 36])
def test_an_image_size_that_does_not_halve_is_refused(
    context: BuildContext, image_size: int
) -> None:
    with pytest.raises(UserError, match=r"^levels: "):
        _build(replace(context, image_size=image_size))


@pytest.mark.parametrize(
    "changes",
    [
        {"steps": 1},
        {"levels": 0},
        {"width": 0},
        {"lr": 0},
        {"finetune_fraction": 1.0},
        {"finetune_fraction": 0.0},
        {"weights": {"style": -1}},
        {"weights": {"stile": 120}},
        {"depth": 7},
    ],
)
def test_a_bad_option_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate(TINY | changes)


def test_weights_may_be_changed_one_by_one(
    context: BuildContext, batch: Batch, run_steps: RunSteps
) -> None:
    method = _build(context)
    (terms,) = run_steps(method, method.phases()[0], batch, 1)
    method = _build(context, weights={"style": 60})
    (halved,) = run_steps(method, method.phases()[0], batch, 1)
    assert math.isclose(halved["style"], terms["style"] / 2, rel_tol=1e-5)
    assert math.isclose(halved["hole"], terms["hole"], rel_tol=1e-5)
