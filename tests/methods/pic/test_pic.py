import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch

from mdrnets.errors import UserError
from mdrnets.methods.base import Batch, BuildContext
from mdrnets.methods.pic.method import (
    PIC,
    Options,
    build,
    hole_size_prior,
    kl_divergence,
    sum_of_l1,
)
from mdrnets.methods.pic.networks import Gaussian, resize
from mdrnets.networks.spectral_norm import SpectralNorm

TINY = {"steps": 4, "batch_size": 2, "reductions": 3 + 1, "base": 4, "cap": 8, "infer_blocks": 1}


@pytest.fixture
def method() -> PIC:
    torch.manual_seed(0)
    built = build(options=Options.model_validate(TINY), context=BuildContext(64, features=_none))
    assert isinstance(built, PIC)
    return built


@pytest.fixture
def batch64(batch: Batch) -> Batch:
    def double(x: torch.Tensor) -> torch.Tensor:
        return x.repeat_interleave(2, -1).repeat_interleave(2, -2)

    return Batch(image=double(batch.image), hole=double(batch.hole))


def _none(name: str) -> Any:
    raise AssertionError("PIC has no perceptual loss")


def _terms(method: PIC, batch: Batch) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    (phase,) = method.phases()
    updates = list(phase.train_step(batch))
    assert [update.optimiser for update in updates] == ["discriminators", "generator"]
    return dict(updates[1].terms)


def test_divergence_is_that_of_torch() -> None:
    torch.manual_seed(0)
    a = Gaussian(torch.randn(2, 3), torch.rand(2, 3) + 0.1)
    b = Gaussian(torch.randn(2, 3), torch.rand(2, 3) + 0.1)
    expected = torch.distributions.kl_divergence(
        torch.distributions.Normal(a.mean, a.deviation),
        torch.distributions.Normal(b.mean, b.deviation),
    ).mean()
    torch.testing.assert_close(kl_divergence(a, b), expected)
    assert kl_divergence(a, a).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("share", "sigma"), [(1, 0.168), (0.8, 0.5), (0.5, 0.917), (0, 0.998)])
def test_the_target_distribution_is_wider_for_larger_holes(share: float, sigma: float) -> None:
    like = Gaussian(torch.zeros(1, 2, 3, 3), torch.ones(1, 2, 3, 3))
    valid = torch.full((1, 1, 4, 4), float(share))
    spread = hole_size_prior(valid, like).deviation
    assert spread.shape == like.mean.shape
    assert math.isclose(spread.mean().item(), sigma, abs_tol=1e-3)


def test_sum_of_l1_adds_the_means_of_the_scales() -> None:
    zeros = [torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 4, 4)]
    assert sum_of_l1([zeros[0] + 1, zeros[1] - 2], zeros).item() == 3


def test_an_update_uses_one_sigma_of_each_weight(
    method: PIC, batch64: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    iterations: Counter[SpectralNorm] = Counter()
    monkeypatch.setattr(SpectralNorm, "_power_method", lambda norm, *_: iterations.update([norm]))
    (phase,) = method.phases()

    def counts(*networks: torch.nn.Module) -> set[int]:
        modules = [module for network in networks for module in network.modules()]
        return {iterations[norm] for norm in modules if isinstance(norm, SpectralNorm)}

    discriminators = (method.discriminator, method.discriminator_rec)
    for number, _ in enumerate(phase.train_step(batch64), start=1):
        assert counts(*discriminators) == {number}
    assert counts(method.encoder, method.generator) == {1}


def test_the_prior_is_pulled_to_a_posterior_that_does_not_move(method: PIC, batch64: Batch) -> None:
    terms = _terms(method, batch64)
    posterior = list(method.encoder.posterior.parameters())
    (g_gradient,) = torch.autograd.grad(
        terms["kl_g"], posterior[:1], retain_graph=True, allow_unused=True
    )
    (rec_gradient,) = torch.autograd.grad(terms["kl_rec"], posterior[:1], retain_graph=True)
    (prior_gradient,) = torch.autograd.grad(
        terms["kl_g"], [next(method.encoder.prior.parameters())]
    )
    assert g_gradient is None or not g_gradient.any()
    assert rec_gradient.any() and prior_gradient.any()


def test_the_generative_path_is_compared_only_on_visible_pixels(
    method: PIC, batch64: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.Tensor] = []
    forward = method.generator.forward

    def spy(*arguments: torch.Tensor) -> list[torch.Tensor]:
        images = forward(*arguments)
        images[-1].retain_grad()
        seen.append(images[-1])
        return images

    monkeypatch.setattr(method.generator, "forward", spy)
    _terms(method, batch64)["reconstruction_g"].backward()
    assert seen[0].grad is not None
    gradient = seen[0].grad[2:].abs().sum(dim=1, keepdim=True)
    assert not (gradient * batch64.hole).any()
    assert (gradient * (1 - batch64.hole)).any()


def test_training_lowers_the_reconstruction(
    method: PIC, batch64: Batch, run_steps: Callable[..., list[dict[str, float]]]
) -> None:
    torch.manual_seed(2)
    (phase,) = method.phases()
    for optimiser in phase.optimisers.values():
        optimiser.param_groups[0]["lr"] = 2e-3
    history = run_steps(method, phase, batch64, 12)
    assert history[-1]["reconstruction_rec"] < 0.9 * history[0]["reconstruction_rec"]


def test_best_of_selects_the_sample_that_the_discriminator_prefers(batch64: Batch) -> None:
    torch.manual_seed(0)
    built = build(
        options=Options.model_validate(TINY | {"best_of": 3}),
        context=BuildContext(64, features=_none),
    )
    assert isinstance(built, PIC)
    method = built.eval()
    preferred = iter([[0.0, 1.0], [2.0, 0.0], [1.0, 0.5]])

    def scores(image: torch.Tensor) -> torch.Tensor:
        return torch.tensor(next(preferred)).view(2, 1, 1, 1)

    method.discriminator.forward = scores  # type: ignore[method-assign]
    with torch.no_grad():
        best = method.complete(batch64.masked, batch64.hole, torch.Generator().manual_seed(1))
        method.options = Options.model_validate(TINY)
        generator = torch.Generator().manual_seed(1)
        preferred = iter([[0.0, 0.0]] * 3)
        singles = [method.complete(batch64.masked, batch64.hole, generator) for _ in range(3)]
    assert torch.equal(best[0], singles[1][0])
    assert torch.equal(best[1], singles[0][1])


def test_a_cap_that_no_level_reaches_is_refused() -> None:
    with pytest.raises(UserError, match=r"^cap: .* 16"):
        build(
            options=Options.model_validate(TINY | {"cap": 32}),
            context=BuildContext(64, features=_none),
        )


def test_too_many_reductions_are_refused() -> None:
    with pytest.raises(UserError, match=r"^reductions: .* 5,.* 2 "):
        build(options=Options(steps=1), context=BuildContext(64, features=_none))


def test_the_prior_learns_only_from_the_generative_path(method: PIC, batch64: Batch) -> None:
    terms = _terms(method, batch64)
    prior = [method.encoder.prior, method.encoder.infer]
    weights = [next(network.parameters()) for network in prior]

    def gradients(term: str) -> list[bool]:
        result = torch.autograd.grad(
            terms[term], weights, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        return [bool(gradient.any()) for gradient in result]

    for term in ("kl_g", "reconstruction_g", "adversarial_g"):
        assert gradients(term) == [True, True], term
    for term in ("kl_rec", "reconstruction_rec", "matching_rec"):
        assert gradients(term) == [False, False], term


def test_a_perfect_reconstruction_has_zero_loss(
    method: PIC, batch64: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = batch64.image.repeat(2, 1, 1, 1)
    monkeypatch.setattr(
        method.generator,
        "forward",
        lambda *_: [resize(both, size).requires_grad_() for size in (8, 16, 32, 64)],
    )
    terms = _terms(method.eval(), batch64)
    for term in ("reconstruction_rec", "reconstruction_g", "matching_rec"):
        assert terms[term].item() == pytest.approx(0, abs=1e-10), term
    assert terms["adversarial_g"] > 0


def test_completion_is_the_generative_path_of_training(
    method: PIC, batch64: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    method.eval()
    seen: list[torch.Tensor] = []
    forward = method.generator.forward

    def spy(*arguments: torch.Tensor) -> list[torch.Tensor]:
        seen.append(arguments[0])  # the latents of both paths
        images = forward(*arguments)
        seen.append(images[-1])
        return images

    monkeypatch.setattr(method.generator, "forward", spy)
    _terms(method, batch64)
    latent, output = seen[0][2:], seen[1][2:]

    prior = method.encoder.distribution_of_visible(method.encoder(batch64.masked)[1])
    noise = (latent - prior.mean) / prior.deviation
    monkeypatch.setattr(torch, "randn", lambda *_, **__: noise)
    alone = method.complete(batch64.masked, batch64.hole, torch.Generator())
    torch.testing.assert_close(alone, output, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("missing", [0.0, 1.0])
def test_an_image_without_a_hole_or_without_anything_else(
    method: PIC, batch64: Batch, missing: float
) -> None:
    hole = torch.full_like(batch64.hole, missing)
    terms = _terms(method, Batch(image=batch64.image, hole=hole))
    assert all(term.isfinite() for term in terms.values())
    with torch.no_grad():
        output = method.complete(batch64.image * (1 - hole), hole, torch.Generator().manual_seed(0))
    assert output.isfinite().all()


def test_the_losses_are_those_of_the_authors_code(
    method: PIC, batch64: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    method.eval()
    image, valid = batch64.image, 1 - batch64.hole
    seen: list[list[torch.Tensor]] = []
    forward = method.generator.forward

    def spy(*arguments: torch.Tensor) -> list[torch.Tensor]:
        seen.append(forward(*arguments))
        return seen[-1]

    monkeypatch.setattr(method.generator, "forward", spy)
    torch.manual_seed(1)
    (phase,) = method.phases()
    discriminators, generator = (dict(update.terms) for update in phase.train_step(batch64))
    reconstructed = [scale[:2] for scale in seen[0]]
    generated = [scale[2:] for scale in seen[0]]

    def upsample(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        size = like.shape[2:]
        return torch.nn.functional.interpolate(x, size, mode="bilinear", align_corners=True)

    def mean_kl(a: Gaussian, b: Gaussian) -> torch.Tensor:
        normal = torch.distributions.Normal
        return torch.distributions.kl_divergence(
            normal(a.mean, a.deviation), normal(b.mean, b.deviation)
        ).mean()

    encoder = method.encoder
    posterior = encoder.distribution_of_hidden(encoder(image * batch64.hole)[1])
    prior = encoder.distribution_of_visible(encoder(batch64.masked)[1])
    d_fake, d_real = method.discriminator(generated[-1]), method.discriminator(image)
    rec_fake, rec_real = (
        method.discriminator_rec(reconstructed[-1]),
        method.discriminator_rec(image),
    )
    expected = {
        "kl_rec": 80 * mean_kl(hole_size_prior(valid, posterior), posterior),
        "kl_g": 80 * mean_kl(posterior, prior),
        "reconstruction_rec": 20
        * torch.stack([(r - upsample(image, r)).abs().mean() for r in reconstructed]).sum(),
        "reconstruction_g": 20
        * torch.stack(
            [(upsample(valid, g) * (g - upsample(image, g))).abs().mean() for g in generated]
        ).sum(),
        "adversarial_g": (d_fake - 1).square().mean(),
        "matching_rec": (rec_fake - rec_real).square().mean(),
    }
    torch.testing.assert_close(generator, expected, rtol=1e-4, atol=1e-6)
    expected = {
        "discriminator": ((d_real - 1).square().mean() + d_fake.square().mean()) / 2,
        "discriminator_rec": ((rec_real - 1).square().mean() + rec_fake.square().mean()) / 2,
    }
    torch.testing.assert_close(discriminators, expected, rtol=1e-4, atol=1e-6)
