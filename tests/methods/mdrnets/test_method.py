import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from torch import Tensor

from mdrnets.errors import UserError
from mdrnets.methods.base import Batch, BuildContext, Phase, Trainable
from mdrnets.methods.mdrnets.losses import Weights
from mdrnets.methods.mdrnets.method import MDRNets, Options, build

MakeMethod = Callable[..., MDRNets]
MakeOptions = Callable[..., Options]
RunSteps = Callable[[Trainable, Phase, Batch, int], list[dict[str, float]]]

VARIANTS: dict[str, dict[str, Any]] = {
    "full": {},
    "without MREM": {"mrem": False},
    "without MREM and DMM": {"guidance": "style"},
    "without memory": {"memory": "none"},
    "shared": {"memory": "shared_equal"},
    "shared, without MREM": {"memory": "shared", "mrem": False},
    "one slot": {"slots": 1},
    "without L_sem": {"weights": {"semantic": 0}},
    "without L_InCo²": {"weights": {"incoordination": 0}},
    "without adversary": {"weights": {"adversarial": 0}},
    "gram": {"style": "gram", "adversarial": "lsgan"},
    "masked input": {"encoder_input": "masked"},
    "not residual": {"residual": False},
}


# -- options and sizes -----------------------------------------------------------------------


def test_the_defaults_build_the_full_size_networks(frozen_context: BuildContext) -> None:
    with torch.device("meta"):
        method = build(
            options=Options(steps=1),
            context=BuildContext(
                image_size=256, features=frozen_context.features, frozen=frozen_context.frozen
            ),
        )
    counts = {
        name: sum(parameter.numel() for parameter in network.parameters())
        for name, network in method.named_children()
    }
    assert counts == {
        "style_encoder": 978_496,
        "memory": 0,
        "correlation": 2 * (256 * 256 + 256),
        "refinement": 61_277_891,
        "discriminator": 2_763_776 + 64 + 1,
    }
    assert method.memory is not None
    assert method.memory.slots.shape == (14, 64, 256)


def test_options_come_from_plain_yaml_data(small_options: MakeOptions) -> None:
    options = small_options(lr=1, weights={"style": 1}, taps=["relu1_2"])
    assert options.dilations == (1, 2)
    assert options.taps == ("relu1_2",)
    assert options.weights == Weights(style=1.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"memory": "both"},
        {"encoder_input": "truth"},
        {"init": "zeros"},
        {"warm_up_share": 1},
        {"alpha": 1.5},
        {"temperature": 0},
        {"dilations": []},
        {"dilations": [0]},
        {"taps": ["relu3_5"]},
        {"weights": {"semantic": -1}},
        {"weights": {"gan": 1}},
        {"slots": 0},
        {"unknown": 1},
    ],
)
def test_bad_options_are_refused(small_options: MakeOptions, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        small_options(**wrong)


@pytest.mark.parametrize(
    ("changes", "size", "message"),
    [
        ({}, 36, "halvings"),
        ({"halvings": 4}, 40, "halvings"),
        ({"patch_size": 3}, 32, "patch_size: .* 3,"),
        ({"dilations": [1, 4]}, 32, "dilations"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(
    frozen_context: BuildContext,
    small_options: MakeOptions,
    changes: dict[str, Any],
    size: int,
    message: str,
) -> None:
    other = BuildContext(
        image_size=size, features=frozen_context.features, frozen=frozen_context.frozen
    )
    with pytest.raises(UserError, match=f"^{message}"):
        build(options=small_options(**changes), context=other)


# -- training --------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_trains(
    small_method: MakeMethod, batch: Batch, run_steps: RunSteps, variant: str
) -> None:
    method = small_method(**VARIANTS[variant])
    before = copy.deepcopy(method.state_dict())
    (phase,) = method.phases()

    (terms,) = run_steps(method, phase, batch, 1)

    trained = {
        id(parameter)
        for optimiser in phase.optimisers.values()
        for group in optimiser.param_groups
        for parameter in group["params"]
    }
    assert trained == {id(parameter) for parameter in method.parameters()}
    used = [network for name, network in method.named_children() if name != "discriminator"]
    for parameter in (p for network in used for p in network.parameters()):
        assert parameter.grad is not None
        assert torch.isfinite(parameter.grad).all()
    assert any(not torch.equal(method.state_dict()[name], before[name]) for name in before)
    ablated = {name for name, weight in method.options.weights if weight == 0}
    expected = set(Weights.model_fields) - ablated
    assert set(terms) == expected | ({"discriminator"} if "adversarial" in expected else set())


def test_variants_have_the_parts_that_they_name(small_method: MakeMethod) -> None:
    def parts(variant: str) -> tuple[tuple[int, ...] | None, bool]:
        method = small_method(**VARIANTS[variant], slots=3)
        blocks_and_slots = None if method.memory is None else method.memory.slots.shape[:2]
        return blocks_and_slots, method.correlation is not None

    assert parts("full") == ((14, 3), True)
    assert parts("without MREM") == ((14, 3), False)
    assert parts("without MREM and DMM") == (None, False)
    assert parts("without memory") == (None, True)
    assert parts("shared") == ((1, 14 * 3), True)
    assert parts("shared, without MREM") == ((1, 3), False)


def test_training_lowers_the_loss_in_the_hole(
    small_method: MakeMethod, batch: Batch, run_steps: RunSteps
) -> None:
    weights = dict.fromkeys(Weights.model_fields, 0.0) | {"hole": 6.0}
    method = small_method(lr=1e-2, weights=weights)
    history = run_steps(method, method.phases()[0], batch, 40)
    assert history[-1]["hole"] < 0.6 * history[0]["hole"]


def test_the_discriminator_goes_first_and_sees_no_generator_gradient(
    small_method: MakeMethod, batch: Batch
) -> None:
    method = small_method()
    (phase,) = method.phases()
    updates = phase.train_step(batch)

    first = next(updates)
    assert first.optimiser == "discriminator"
    torch.stack(list(first.terms.values())).sum().backward()
    assert all(parameter.grad is not None for parameter in method.discriminator.parameters())
    assert all(parameter.grad is None for parameter in method.refinement.parameters())

    method.zero_grad()
    second = next(updates)
    assert second.optimiser == "generator"
    torch.stack(list(second.terms.values())).sum().backward()
    assert all(parameter.grad is None for parameter in method.discriminator.parameters())
    assert next(updates, None) is None


def test_the_coarse_face_gives_the_map_of_the_chain_and_the_true_face_that_of_the_losses(
    small_method: MakeMethod, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = small_method(weights={"adversarial": 0}).train()
    parser = method.frozen("parser")
    seen: list[Tensor] = []
    refine = method.refine

    def spy(masked: Tensor, hole: Tensor, coarse: Tensor, labels: Tensor) -> Tensor:
        output = refine(masked, hole, coarse, labels)
        seen.extend([coarse, labels, output])
        return output

    monkeypatch.setattr(method, "refine", spy)
    (update,) = method.phases()[0].train_step(batch)
    coarse, labels, output = seen
    assert torch.equal(coarse, method.complete_coarsely(batch.masked, batch.hole))
    assert torch.equal(labels, parser.parse(coarse))
    expected = 0.1 * F.cross_entropy(parser(output), parser.parse(batch.image))
    torch.testing.assert_close(update.terms["semantic"], expected)


@pytest.mark.parametrize("variant", ["full", "without memory", "without MREM and DMM"])
def test_the_chain_is_differentiable_to_the_style_encoder(
    small_method: MakeMethod, batch: Batch, variant: str
) -> None:
    """Also if the hole covers the image and gradients flow only through the memory's attention."""
    for hole in (batch.hole, torch.ones_like(batch.hole)):
        method = small_method(**VARIANTS[variant]).train()
        masked = batch.image * (1 - hole)
        coarse = method.complete_coarsely(masked, hole)
        labels = method.frozen("parser").parse(coarse)
        method.refine(masked, hole, coarse, labels).square().sum().backward()
        gradient = next(method.style_encoder.parameters()).grad
        assert gradient is not None
        assert torch.isfinite(gradient).all()
        assert gradient.abs().sum() > 0


def test_frozen_networks_stay_frozen(
    frozen_context: BuildContext, small_method: MakeMethod, batch: Batch, run_steps: RunSteps
) -> None:
    before = {name: copy.deepcopy(net.state_dict()) for name, net in frozen_context.frozen.items()}
    method = small_method()
    run_steps(method, method.phases()[0], batch, 2)  # which calls train()
    for name, network in frozen_context.frozen.items():
        assert not any(module.training for module in network.modules()), name
        assert all(parameter.grad is None for parameter in network.parameters()), name
        for key, value in network.state_dict().items():
            assert torch.equal(value, before[name][key]), name
    saved = {key.split(".")[0] for key in method.state_dict()}
    assert saved == {"style_encoder", "memory", "correlation", "refinement", "discriminator"}


@pytest.mark.parametrize("variant", ["full", "shared", "without memory"])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_batches_with_empty_or_full_holes_can_be_trained_on(
    small_method: MakeMethod, batch: Batch, run_steps: RunSteps, variant: str, value: float
) -> None:
    extreme = Batch(image=batch.image, hole=torch.full_like(batch.hole, value))
    method = small_method(**VARIANTS[variant])
    slots = None if method.memory is None else method.memory.slots.clone()
    run_steps(method, method.phases()[0], extreme, 2)
    for name, tensor in method.state_dict().items():
        assert torch.isfinite(tensor).all(), name
    if method.memory is not None and slots is not None:
        assert torch.equal(method.memory.slots, slots) == (value == 1)  # no valid pixel, no write
    output = method.eval().complete(extreme.masked, extreme.hole, torch.Generator())
    assert torch.isfinite(output).all()


def test_one_step_writes_the_memory_once(
    small_method: MakeMethod, batch: Batch, run_steps: RunSteps
) -> None:
    method = small_method(slots=1)
    assert method.memory is not None
    run_steps(method, method.phases()[0], batch, 3)
    assert set(method.memory.updates.flatten().tolist()) <= {0, 3}
    assert method.memory.updates.sum() > 0
