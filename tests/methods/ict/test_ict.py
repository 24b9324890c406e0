from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from mdrnets.errors import UserError
from mdrnets.methods.base import Batch, BuildContext, Phase
from mdrnets.methods.ict.method import ICT, Options, build, warm_up_and_cosine

TINY = {
    "steps": 10,
    "batch_size": 2,
    "prior_batch_size": 2,
    "grid": 8,
    "colours": 16,
    "width": 16,
    "heads": 2,
    "blocks": 1,
    "upsampler_base": 16,
    "upsampler_blocks": 1,
    "discriminator_base": 4,
}


def _build(context: BuildContext, **changes: float) -> ICT:
    torch.manual_seed(0)
    method = build(options=Options.model_validate(TINY | changes), context=context)
    assert isinstance(method, ICT)
    return method


def _images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)


@pytest.fixture
def method(context: BuildContext) -> ICT:
    return _build(context)


@pytest.fixture
def phases(method: ICT) -> list[Phase]:
    phases = list(method.phases())
    assert phases[0].on_start is not None
    phases[0].on_start(_images())
    return phases


def test_the_palette_is_fitted_when_the_first_phase_starts_and_is_saved(
    method: ICT, phases: list[Phase]
) -> None:
    assert len(method.palette.unique(dim=0)) == 16
    assert "palette" in method.state_dict()
    assert phases[1].on_start is None


def test_more_colours_than_the_images_have_is_an_error(context: BuildContext) -> None:
    method = _build(context)
    start = method.phases()[0].on_start
    assert start is not None
    with pytest.raises(UserError, match=r"^colours: .* 1 "):
        start(np.zeros((2, 32, 32, 3), dtype=np.uint8))


def test_the_schedule(phases: list[Phase]) -> None:
    assert [(phase.name, phase.steps) for phase in phases] == [("prior", 5), ("upsampler", 5)]
    upsampler = phases[1].optimisers
    assert upsampler["upsampler"].param_groups[0]["lr"] == pytest.approx(1e-4)
    assert upsampler["discriminator"].param_groups[0]["lr"] == pytest.approx(1e-5)


def test_the_rate_rises_then_falls_to_a_tenth() -> None:
    factor = warm_up_and_cosine(1000, 0.01)
    assert [factor(0), factor(9)] == pytest.approx([0.1, 1.0])
    assert factor(505) == pytest.approx(0.5, abs=0.01)
    assert factor(999) == factor(5000) == pytest.approx(0.1)


def test_each_phase_lowers_its_loss(
    method: ICT,
    phases: list[Phase],
    batch: Batch,
    run_steps: Callable[..., list[dict[str, float]]],
) -> None:
    torch.manual_seed(1)
    prior, upsampler = phases
    prior.schedulers.clear()
    prior.optimisers["transformer"].param_groups[0]["lr"] = 1e-2
    history = run_steps(method, prior, batch, 20)
    assert history[-1]["nll"] < 0.8 * history[0]["nll"]

    upsampler.optimisers["upsampler"].param_groups[0]["lr"] = 5e-3
    # With N(0, 0.02) so narrow a network outputs almost 0 at first: let it learn the brightness.
    bright = Batch(image=0.3 * batch.image + 0.6, hole=batch.hole)
    history = run_steps(method, upsampler, bright, 20)
    assert set(history[0]) == {"l1", "adversarial", "content", "style", "discriminator"}
    assert history[-1]["l1"] < 0.9 * history[0]["l1"]


def test_gradients_of_the_transformer_are_clipped(
    method: ICT, phases: list[Phase], batch: Batch
) -> None:
    optimiser = phases[0].optimisers["transformer"]
    (update,) = phases[0].train_step(batch)
    (1e6 * update.terms["nll"]).backward()
    optimiser.step()
    gradients = [p.grad for p in method.transformer.parameters() if p.grad is not None]
    norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
    torch.testing.assert_close(norm.item(), 1.0, rtol=1e-3, atol=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"heads": 3}, "^heads: .* 3,"), ({"grid": 64}, "^grid: .* 64 ")],
)
def test_sizes_that_do_not_fit_are_refused(
    context: BuildContext, changes: dict[str, int], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        _build(context, **changes)


def test_an_image_size_that_the_upsampler_cannot_halve_twice_is_refused(
    context: BuildContext,
) -> None:
    with pytest.raises(UserError, match=r"^image_size: .* 34 "):
        _build(replace(context, image_size=34))


def test_the_discriminator_has_the_published_initialisation(context: BuildContext) -> None:
    weights = list(_build(context, discriminator_base=32).discriminator.parameters())
    assert all(weight.dim() == 4 for weight in weights)  # none is a bias
    for weight in weights[1:4]:
        assert weight.std().item() == pytest.approx(0.02, rel=0.05)


def test_the_prior_is_enlarged_as_pil_does(method: ICT) -> None:
    from PIL import Image

    # Smooth, so that nothing is clipped between PIL's two passes.
    axis = torch.linspace(0, 3, 8)
    grey = (127 + 60 * torch.sin(axis[:, None] + 2 * axis[None])).round()
    method.palette.copy_(torch.linspace(0, 255, 16).round()[:, None].expand(16, 3))
    tokens = (grey / 17).round().long().flatten()[None]
    small = (tokens.view(8, 8) * 17).to(torch.uint8).numpy()
    expected = np.asarray(Image.fromarray(small).resize((32, 32), Image.Resampling.BICUBIC))
    result = method._prior(tokens)[0, 0] * 255
    assert (result - torch.from_numpy(expected.astype(np.float32))).abs().max() < 1.5


def test_the_losses_of_the_upsampler_are_those_of_the_authors_code(
    method: ICT, phases: list[Phase], batch: Batch, context: BuildContext
) -> None:
    for _ in range(5):  # power iterations
        method.discriminator(batch.image)
    method.eval()
    discriminator, upsampler = (dict(update.terms) for update in phases[1].train_step(batch))

    image, hole = (batch.image + 1) / 2, batch.hole
    output = method.upsampler(image, hole, method._prior(method._tokens(batch.image)))
    on_real, on_fake = (method.discriminator(x).sigmoid() for x in (image, output))

    def maps(x: torch.Tensor, *taps: str) -> list[torch.Tensor]:
        return context.features("vgg19")(x, taps, normalise=False)

    def gram(x: torch.Tensor) -> torch.Tensor:
        return torch.einsum("bchw,bdhw->bcd", x, x) / x[0].numel()

    def sum_of_l1(a: list[torch.Tensor], b: list[torch.Tensor]) -> torch.Tensor:
        return torch.stack([(x - y).abs().mean() for x, y in zip(a, b, strict=True)]).sum()

    content = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    style = ("relu2_2", "relu3_4", "relu4_4", "relu5_2")
    one = torch.ones_like(on_fake)
    bce = torch.nn.functional.binary_cross_entropy
    expected = {
        "l1": (output - image).abs().mean() / hole.mean(),
        "adversarial": 0.1 * bce(on_fake, one),
        "content": 0.1 * sum_of_l1(maps(output, *content), maps(image, *content)),
        "style": 250
        * sum_of_l1(
            [gram(x) for x in maps(output * hole, *style)],
            [gram(x) for x in maps(image * hole, *style)],
        ),
    }
    torch.testing.assert_close(upsampler, expected, rtol=1e-4, atol=1e-6)
    expected = {"discriminator": (bce(on_real, one) + bce(on_fake, 0 * one)) / 2}
    torch.testing.assert_close(discriminator, expected, rtol=1e-4, atol=1e-6)
