from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mdrnets.data.pixels import to_pixels, to_tensor
from mdrnets.errors import UserError
from mdrnets.methods.base import Batch, BuildContext
from mdrnets.methods.ctsdg.method import CTSDG, Options, build
from mdrnets.methods.ctsdg.structure import detect_edges, to_grey, visible_edges

TINY = {
    "steps": 10,
    "batch_size": 2,
    "levels": 3,
    "width": 4,
    "discriminator_base": 4,
    "edge_sigma": 1.0,
}


@pytest.fixture
def method(context: BuildContext) -> CTSDG:
    torch.manual_seed(0)
    built = build(options=Options.model_validate(TINY), context=context)
    assert isinstance(built, CTSDG)
    return built


def _mean(norm: nn.BatchNorm2d) -> torch.Tensor:
    assert norm.running_mean is not None
    return norm.running_mean


def test_the_schedule_is_two_phases_with_their_rates(method: CTSDG) -> None:
    train, fine_tune = method.phases()
    assert (train.steps, fine_tune.steps) == (7, 3)
    rates = [
        [phase.optimisers[name].param_groups[0]["lr"] for name in ("generator", "discriminator")]
        for phase in (train, fine_tune)
    ]
    assert rates[0] == pytest.approx([2e-4, 2e-5])
    assert rates[1] == pytest.approx([5e-5, 5e-6])


def test_fine_tuning_freezes_statistics_but_not_affine_parameters(
    method: CTSDG, batch: Batch, run_steps: Callable[..., list[dict[str, float]]]
) -> None:
    _, fine_tune = method.phases()
    norms = [m for m in method.generator.modules() if isinstance(m, nn.BatchNorm2d)]
    before = [(_mean(norm).clone(), norm.weight.detach().clone()) for norm in norms]
    run_steps(method, fine_tune, batch, 1)
    method.train()
    for norm, (mean, weight) in zip(norms, before, strict=True):
        assert not norm.training
        assert torch.equal(_mean(norm), mean)
        assert not torch.equal(norm.weight, weight)
    assert method.discriminator.edge_detector.training


def test_every_named_loss_is_there_and_training_lowers_them(
    method: CTSDG, batch: Batch, run_steps: Callable[..., list[dict[str, float]]]
) -> None:
    torch.manual_seed(1)
    train, _ = method.phases()
    train.optimisers["generator"].param_groups[0]["lr"] = 5e-3
    history = run_steps(method, train, batch, 15)
    assert set(history[0]) == {
        "hole",
        "valid",
        "perceptual",
        "style",
        "adversarial",
        "intermediate",
        "discriminator",
        "edges_of_fake",
        "edges_of_real",
    }
    assert history[-1]["hole"] + history[-1]["valid"] < 0.8 * (
        history[0]["hole"] + history[0]["valid"]
    )


@pytest.fixture
def seen_edges(method: CTSDG) -> list[torch.Tensor]:
    """The edges that the generator gets."""
    seen: list[torch.Tensor] = []
    method.generator.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[1]))
    return seen


def test_training_sees_no_edge_that_completion_cannot_see(
    method: CTSDG, batch: Batch, seen_edges: list[torch.Tensor]
) -> None:
    next(iter(method.phases()[0].train_step(batch)))
    near = F.max_pool2d(batch.hole, 5, stride=1, padding=2)
    full = detect_edges(to_grey(batch.image), sigma=1.0)
    assert (full * (near - batch.hole)).any()  # edges between the hole and its rim
    assert torch.equal(seen_edges[0], full * (1 - near))


def test_edges_come_with_the_batch_and_are_not_detected_in_a_step(
    method: CTSDG,
    batch: Batch,
    seen_edges: list[torch.Tensor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for phase in method.phases():
        assert phase.image_map is not None
        maps = [phase.image_map(image) for image in to_pixels(batch.image)]
    edges = torch.from_numpy(np.stack(maps)[:, None]).float()
    pixels = to_tensor(to_pixels(batch.image))
    assert edges.any()
    assert torch.equal(edges, detect_edges(to_grey(pixels), sigma=1.0))

    monkeypatch.delattr("mdrnets.methods.ctsdg.method.detect_edges")
    next(iter(phase.train_step(replace(batch, image_map=edges))))
    assert torch.equal(seen_edges[0], visible_edges(edges, batch.hole))


def test_a_size_that_cannot_be_halved_is_refused(context: BuildContext) -> None:
    with pytest.raises(UserError, match=r"^levels: "):
        build(options=Options(steps=1), context=context)


def test_the_losses_are_those_of_the_authors_code(
    method: CTSDG, batch: Batch, context: BuildContext
) -> None:
    train, _ = method.phases()
    for _ in range(5):  # power iterations
        method.discriminator(batch.image, batch.hole, batch.hole)
    method.eval()
    generator, discriminator = (dict(update.terms) for update in train.train_step(batch))

    image, hole = batch.image, batch.hole
    value = to_grey(image)
    edge = detect_edges(value, sigma=1.0)
    generated = method.generator(batch.masked, visible_edges(edge, hole), value, hole)
    completed = image * (1 - hole) + generated.image * hole
    result = method.discriminator.edge_detector(generated.image).sigmoid()
    on_fake = method.discriminator(generated.image, value, result).sigmoid()
    on_real = method.discriminator(image, value, edge).sigmoid()
    edge_of_real = method.discriminator.edge_detector(image).sigmoid()

    def mean_l1(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (a - b).abs().mean()

    def maps(x: torch.Tensor) -> list[torch.Tensor]:
        taps = ("pool1", "pool2", "pool3")
        return context.features("vgg16")(x, taps, normalise=False)

    def gram(x: torch.Tensor) -> torch.Tensor:
        return torch.einsum("bchw,bdhw->bcd", x, x) / x[0].numel()

    pairs = [
        pair
        for output in (generated.image, completed)
        for pair in zip(maps(output), maps(image), strict=True)
    ]
    bce, one = F.binary_cross_entropy, torch.ones_like(on_fake)
    expected = {
        "hole": 60 * mean_l1(hole * generated.image, hole * image),
        "valid": 10 * mean_l1((1 - hole) * generated.image, (1 - hole) * image),
        "perceptual": 0.1 * torch.stack([mean_l1(a, b) for a, b in pairs]).sum(),
        "style": 250 * torch.stack([mean_l1(gram(a), gram(b)) for a, b in pairs]).sum(),
        "adversarial": 0.1 * (bce(on_fake, one) + bce(result, edge)),
        "intermediate": bce(generated.projected_edge.sigmoid(), edge)
        + mean_l1(generated.projected_image, image),
    }
    torch.testing.assert_close(generator, expected, rtol=1e-4, atol=1e-6)
    expected = {
        "discriminator": bce(on_real, one) + bce(on_fake, 0 * one),
        "edges_of_fake": bce(result, edge),
        "edges_of_real": bce(edge_of_real, edge),
    }
    torch.testing.assert_close(discriminator, expected, rtol=1e-4, atol=1e-6)
