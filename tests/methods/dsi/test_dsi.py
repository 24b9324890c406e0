from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F

from mdrnets.errors import UserError
from mdrnets.methods.base import Batch, BuildContext
from mdrnets.methods.dsi.method import DSI, Options, build, structure_schedule

TINY = {
    "steps": 9,
    "batch_size": 2,
    "vqvae_width": 8,
    "vqvae_hidden": 4,
    "codes": 6,
    "code_channels": 4,
    "condition_base": 2,
    "condition_rates": [1, 2],
    "channels": 8,
    "blocks": 2,
    "attentions": 1,
    "texture_width": 4,
    "texture_dilations": [1, 2],
    "discriminator_base": 4,
    "discriminator_layers": 3,
}


@pytest.fixture
def method(context: BuildContext) -> DSI:
    torch.manual_seed(0)
    built = build(options=Options.model_validate(TINY), context=context)
    assert isinstance(built, DSI)
    return built


def test_three_phases_share_the_steps(method: DSI) -> None:
    phases = method.phases()
    assert [(phase.name, phase.steps) for phase in phases] == [
        ("vqvae", 3),
        ("structure", 3),
        ("texture", 3),
    ]
    method.options = Options.model_validate(TINY | {"steps": 1})
    assert [(phase.name, phase.steps) for phase in method.phases()] == [("texture", 1)]


def test_the_rate_of_the_structure_is_the_authors_curve() -> None:
    scale = 0.18 * 128**-0.5
    factor = structure_schedule(1_000_000)
    assert scale * factor(46_900) == pytest.approx(3.69e-4, rel=0.01)
    assert scale * factor(999_999) == pytest.approx(1.26e-4, rel=0.01)
    short = structure_schedule(1000)
    assert short(999) == pytest.approx(factor(999_999))


def test_each_phase_lowers_its_loss(
    method: DSI, batch: Batch, run_steps: Callable[..., list[dict[str, float]]]
) -> None:
    torch.manual_seed(1)
    first_terms = {"vqvae": "reconstruction", "structure": "nll", "texture": "l1"}
    for phase in method.phases():
        phase.schedulers.clear()
        phase.optimisers[phase.name].param_groups[0]["lr"] = 5e-3
        history = run_steps(method, phase, batch, 40)
        term = first_terms[phase.name]
        assert history[-1][term] < 0.9 * history[0][term], phase.name


def test_later_phases_see_the_average_and_do_not_move_it(
    method: DSI, batch: Batch, run_steps: Callable[..., list[dict[str, float]]]
) -> None:
    vqvae, structure, texture = method.phases()
    run_steps(method, vqvae, batch, 2)
    average = {k: v.clone() for k, v in method.vqvae_average.state_dict().items()}
    assert int(method.vqvae_average.updates) == 2
    run_steps(method, structure, batch, 1)
    run_steps(method, texture, batch, 1)
    after = method.vqvae_average.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in average.items())


def test_the_code_losses_reach_the_texture_through_the_frozen_encoder(
    method: DSI, batch: Batch
) -> None:
    texture = method.phases()[2]
    method.vqvae.eval()
    update = next(iter(texture.train_step(batch)))
    for term in ("structure_codes", "texture_codes"):
        method.zero_grad()
        update.terms[term].backward(retain_graph=True)
        assert any(p.grad is not None and p.grad.any() for p in method.texture.parameters())
        assert all(p.grad is None for p in method.vqvae_average.parameters())


def test_options_that_do_not_fit_are_refused(context: BuildContext) -> None:
    with pytest.raises(ValueError, match="structure_share"):
        Options.model_validate(TINY | {"vqvae_share": 0.6, "structure_share": 0.5})
    with pytest.raises(ValueError, match="attentions"):
        Options.model_validate(TINY | {"attentions": 2, "blocks": 3})
    with pytest.raises(UserError, match=r"^image_size: "):
        build(
            options=Options.model_validate(TINY),
            context=BuildContext(image_size=36, features=context.features),
        )


def test_the_discriminator_has_the_published_initialisation(context: BuildContext) -> None:
    torch.manual_seed(0)
    method = build(
        options=Options.model_validate(TINY | {"discriminator_base": 32}), context=context
    )
    assert isinstance(method, DSI)
    weights = [p for p in method.discriminator.parameters() if p.dim() > 1]
    # A normal distribution truncated at two standard deviations has 0.88 of its deviation.
    assert weights[1].std().item() == pytest.approx(0.88 * 0.05, rel=0.02)
    assert weights[1].abs().max() <= 0.1
    assert not any(p.any() for p in method.discriminator.parameters() if p.dim() == 1)


def test_the_initial_weights_of_the_texture_are_truncated_normal(method: DSI) -> None:
    conv = method.texture.middle[0].conv
    assert isinstance(conv, torch.nn.Conv2d) and conv.bias is not None
    sigma = (9 * conv.in_channels) ** -0.5
    assert conv.weight.abs().max() <= 2 * sigma
    assert conv.weight.std().item() == pytest.approx(0.88 * sigma, rel=0.05)
    assert not conv.bias.any()


def test_the_losses_of_the_texture_are_those_of_the_authors_code(method: DSI, batch: Batch) -> None:
    for _ in range(5):  # power iterations
        method.discriminator(torch.cat([batch.image, batch.hole], dim=1))
    method.eval()
    texture, discriminator = (dict(update.terms) for update in method.phases()[2].train_step(batch))

    image, hole = batch.image, batch.hole
    vqvae = method._vqvae
    target = vqvae.encode(image)
    output = method.texture(batch.masked, hole, target.top.vectors)
    completed = image * (1 - hole) + output * hole
    result = vqvae.encode(completed)
    on_real, on_fake = (
        method.discriminator(torch.cat([x, hole], dim=1)) for x in (image, completed)
    )

    def code_loss(
        features: torch.Tensor, indices: torch.Tensor, codebook: torch.Tensor
    ) -> torch.Tensor:
        difference = features.unsqueeze(1) - codebook[None, :, :, None, None]  # B×K×D×h×w
        distance = difference.square().sum(dim=2)
        std, mean = torch.std_mean(distance, dim=1, correction=0, keepdim=True)
        return F.cross_entropy(-10 * torch.tanh((distance - mean) / std), indices)

    top, bottom = vqvae.top_quantiser.codebook, vqvae.bottom_quantiser.codebook
    expected = {
        "adversarial": -on_fake.mean(),
        "l1": (output - image).abs().mean(),
        "structure_codes": 0.1 * code_loss(result.top_features, target.top.indices, top),
        "texture_codes": 0.1 * code_loss(result.bottom_features, target.bottom.indices, bottom),
    }
    torch.testing.assert_close(texture, expected, rtol=1e-3, atol=1e-5)
    expected = {"discriminator": (F.relu(1 - on_real).mean() + F.relu(1 + on_fake).mean()) / 2}
    torch.testing.assert_close(discriminator, expected, rtol=1e-4, atol=1e-6)
