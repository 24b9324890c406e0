from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from torch import Tensor, nn

from mdrnets.errors import UserError
from mdrnets.methods.base import Batch, BuildContext
from mdrnets.methods.deepfillv2 import DeepFillv2, Generator, Options, build
from mdrnets.networks.composite import composite
from mdrnets.networks.contextual_attention import ContextualAttention
from mdrnets.networks.gated_conv import GatedConv2d

TINY = {
    "steps": 10,
    "batch_size": 2,
    "width": 4,
    "dilations": [1, 2],
    "discriminator_base": 4,
    "discriminator_layers": 3,
}
RunSteps = Callable[..., list[dict[str, float]]]


def _build(context: BuildContext, **changes: Any) -> DeepFillv2:
    torch.manual_seed(0)
    method = build(options=Options.model_validate(TINY | changes), context=context)
    assert isinstance(method, DeepFillv2)
    return method


def _build_published(width: int = 24) -> Generator:
    with torch.device("meta"):
        return Generator(width=width, dilations=(2, 4, 8, 16))


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _convolutions(module: nn.Module) -> list[nn.Conv2d]:
    return [m for m in module.modules() if isinstance(m, nn.Conv2d)]


def test_defaults_build_the_published_networks(context: BuildContext) -> None:
    options = Options.model_validate({"steps": 10})
    method = build(options=options, context=replace(context, image_size=256))
    assert isinstance(method, DeepFillv2)
    assert _count(method.generator) == 4_052_478
    assert _count(method.discriminator) == 5_946_816


def test_every_part_has_the_published_size() -> None:
    generator = _build_published()
    refinement = generator.refinement
    assert _count(generator.coarse) == 1_631_151
    assert _count(refinement) == 2_421_327
    assert _count(refinement.dilated) == 990_000
    assert _count(refinement.before_attention) == 450_192
    assert _count(refinement.after_attention) == 332_160
    assert _count(refinement.decoder) == 648_975


@pytest.mark.parametrize(("width", "size"), [(16, 1_805_398), (12, 1_017_954)])
def test_a_narrower_generator_has_the_expected_size(width: int, size: int) -> None:
    assert _count(_build_published(width)) == size


def test_every_layer_has_the_published_size() -> None:
    generator = _build_published()
    refinement = generator.refinement
    decoder = [166_080, 83_040, 41_568, 20_784, 5_208, 327]
    expected = {
        generator.coarse: [6_048, 20_832, 41_568, 83_136, *[166_080] * 7, *decoder],
        refinement.dilated: [3_648, 10_416, 20_832, 41_568, 83_136, *[166_080] * 5],
        refinement.before_attention: [3_648, 10_416, 20_832, 83_136, 166_080, 166_080],
        refinement.after_attention: [166_080, 166_080],
        refinement.decoder: [331_968, *decoder],
    }
    for part, sizes in expected.items():
        assert [_count(conv) for conv in _convolutions(part)] == sizes


def test_strides_and_dilations_are_the_published_ones() -> None:
    generator = _build_published()
    for part, dilated in [
        (generator.coarse, {6: 2, 7: 4, 8: 8, 9: 16}),
        (generator.refinement.dilated, {6: 2, 7: 4, 8: 8, 9: 16}),
        (generator.refinement.before_attention, {}),
    ]:
        convolutions = _convolutions(part)
        strided = {i for i, conv in enumerate(convolutions) if conv.stride == (2, 2)}
        assert strided == {1, 3}
        assert {
            i: conv.dilation[0] for i, conv in enumerate(convolutions) if conv.dilation != (1, 1)
        } == dilated


def test_all_but_the_two_image_layers_are_gated() -> None:
    generator = _build_published()
    gated = [m for m in generator.modules() if isinstance(m, GatedConv2d)]
    assert len(_convolutions(generator)) == 42
    assert len(gated) == 40
    rectified = [m for m in gated if isinstance(m.activation, nn.ReLU)]
    assert rectified == [generator.refinement.before_attention[-1]]
    assert sum(isinstance(m.activation, nn.ELU) for m in gated) == 39


@pytest.mark.parametrize(("gate", "open_"), [(-1e4, False), (1e4, True)])
def test_the_gates_bias_closes_and_opens_a_layer(gate: float, open_: bool) -> None:
    torch.manual_seed(0)
    layer = Generator(width=4, dilations=[1]).coarse[2]
    assert isinstance(layer, GatedConv2d) and layer.conv.bias is not None
    nn.init.constant_(layer.conv.bias[8:], gate)
    x = torch.randn(1, 8, 6, 6)
    features = F.elu(F.conv2d(x, layer.conv.weight[:8], layer.conv.bias[:8], padding=1))
    torch.testing.assert_close(layer(x), features if open_ else torch.zeros_like(features))


def test_it_costs_the_published_number_of_multiplications(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Attention multiplies no weights, and the meta device has no autocast.
    monkeypatch.setattr(ContextualAttention, "forward", lambda self, f, b, hole: b)
    generator = _build_published()
    total = 0

    def add(conv: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        assert isinstance(conv, nn.Conv2d)
        total += conv.weight.numel() * output.shape[-1] * output.shape[-2]

    for conv in _convolutions(generator):
        conv.register_forward_hook(add)
    masked = torch.zeros(1, 3, 256, 256, device="meta")
    coarse, refined = generator(masked, masked[:, :1])
    assert coarse.shape == refined.shape == (1, 3, 256, 256)
    assert total / 1e9 == pytest.approx(25.199, abs=5e-4)


@pytest.mark.parametrize("gain", [1.0, 2.0])
def test_weights_start_as_glorot_and_bengio_have_it(context: BuildContext, gain: float) -> None:
    for conv in _convolutions(_build(context, width=8, init_gain=gain).generator):
        fan = conv.weight[0, 0].numel() * (conv.in_channels + conv.out_channels)
        bound = gain * (6 / fan) ** 0.5
        assert 0.95 * bound < conv.weight.abs().max().item() <= bound
        assert conv.bias is not None and not conv.bias.any()


def test_both_outputs_are_images(context: BuildContext, batch: Batch) -> None:
    generator = _build(context).generator
    with torch.no_grad():
        for conv in _convolutions(generator):
            conv.weight.mul_(5)
    for output in generator(batch.masked, batch.hole):
        assert output.shape == batch.image.shape
        assert 0.9 < output.abs().max() <= 1


def test_the_refinement_sees_the_image_outside_the_hole(
    context: BuildContext, batch: Batch
) -> None:
    generator = _build(context).generator
    seen: list[Tensor] = []
    generator.refinement.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    coarse, _ = generator(batch.masked, batch.hole)
    assert torch.equal(seen[0], torch.where(batch.hole > 0, coarse, batch.image))


def test_the_coarse_network_sees_the_border_and_the_hole(
    context: BuildContext, batch: Batch
) -> None:
    generator = _build(context).generator
    seen: list[Tensor] = []
    generator.coarse.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    generator(batch.image, batch.hole)
    expected = torch.cat([batch.masked, torch.ones_like(batch.hole), batch.hole], dim=1)
    assert torch.equal(seen[0], expected)


def test_the_terms_are_the_papers(context: BuildContext, batch: Batch) -> None:
    method = _build(context, l1_weight=2.0, adversarial_weight=0.5).eval()
    image, hole = batch.image, batch.hole
    with torch.no_grad():
        coarse, refined = method.generator(batch.masked, hole)
        on_real = method.discriminator(torch.cat([image, hole], dim=1))
        on_fake = method.discriminator(torch.cat([composite(image, refined, hole), hole], dim=1))
    expected = {
        "discriminator": 0.5 * F.relu(1 - on_real).mean() + 0.5 * F.relu(1 + on_fake).mean(),
        "l1_coarse": 2.0 * (image - coarse).abs().mean(),
        "l1_refined": 2.0 * (image - refined).abs().mean(),
        "adversarial": -0.5 * on_fake.mean(),
    }
    updates = list(method.phases()[0].train_step(batch))
    assert [update.optimiser for update in updates] == ["discriminator", "generator"]
    result = {name: term for update in updates for name, term in update.terms.items()}
    torch.testing.assert_close(result, expected)


def test_either_optimiser_owns_one_network(context: BuildContext) -> None:
    method = _build(context)
    (phase,) = method.phases()
    for name, network in method.named_children():
        (group,) = phase.optimisers[name].param_groups
        assert [id(p) for p in group["params"]] == [id(p) for p in network.parameters()]
        assert (group["lr"], group["betas"]) == (1e-4, (0.5, 0.999))


def test_the_discriminators_update_gives_the_generator_no_gradient(
    context: BuildContext, batch: Batch
) -> None:
    method = _build(context)
    update = next(method.phases()[0].train_step(batch))
    update.terms["discriminator"].backward()
    assert all(p.grad is None for p in method.generator.parameters())
    assert all(p.grad is not None for p in method.discriminator.parameters())


def test_where_the_losses_pull(context: BuildContext, batch: Batch) -> None:
    """The adversarial loss in the hole alone, L1 everywhere; both reach the coarse network."""
    method = _build(context)
    outputs: list[Tensor] = []

    def keep(module: nn.Module, args: tuple[Tensor, ...], output: tuple[Tensor, Tensor]) -> None:
        outputs.extend(output)

    method.generator.register_forward_hook(keep)
    _, update = method.phases()[0].train_step(batch)
    coarse, refined = outputs
    inside = batch.hole.bool().expand_as(refined)

    def gradient(term: str, to: Tensor) -> Tensor:
        return torch.autograd.grad(update.terms[term], to, retain_graph=True)[0]

    assert not gradient("adversarial", refined)[~inside].any()
    assert gradient("adversarial", refined)[inside].any()
    assert gradient("l1_refined", refined)[~inside].all()
    for term in ("adversarial", "l1_refined"):
        assert not gradient(term, coarse)[~inside].any()
        assert gradient(term, coarse)[inside].any()


def test_training_lowers_the_loss(context: BuildContext, batch: Batch, run_steps: RunSteps) -> None:
    method = _build(context, lr=1e-3, init_gain=2.0)
    history = run_steps(method, method.phases()[0], batch, 25)
    assert 0.9 < history[0]["discriminator"] < 1.1  # both hinges are active at first
    assert history[-1]["discriminator"] < history[0]["discriminator"]
    for term in ("l1_coarse", "l1_refined"):
        assert history[-1][term] < 0.9 * history[0][term]


def test_an_image_size_that_does_not_halve_is_refused(context: BuildContext) -> None:
    with pytest.raises(UserError, match=r"^image_size: "):
        _build(replace(context, image_size=36))


def test_options_come_from_plain_yaml() -> None:
    options = Options.model_validate({"steps": 10, "dilations": [2, 4], "l1_weight": 1})
    assert options.dilations == (2, 4)
    assert options.batch_size == 16


@pytest.mark.parametrize(
    "changes",
    [
        {"width": 5},
        {"dilations": [0]},
        {"dilations": ["2"]},
        {"dilations": 2},
        {"discriminator_layers": 0},
        {"lr": -1e-4},
        {"beta1": 1.0},
        {"adversarial_weight": -1},
        {"cnum": 48},
    ],
)
def test_a_bad_option_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate(TINY | changes)
