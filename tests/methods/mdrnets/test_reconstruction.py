from collections.abc import Callable
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from mdrnets.errors import UserError
from mdrnets.methods.base import Batch, BuildContext, Phase, Trainable
from mdrnets.methods.mdrnets.reconstruction import Options, Reconstruction, build
from mdrnets.networks.frozen import freeze
from mdrnets.networks.instance_norm import InstanceNorm2d

RunSteps = Callable[[Trainable, Phase, Batch, int], list[dict[str, float]]]


@pytest.fixture
def network(context: BuildContext) -> Reconstruction:
    return _network(context)


def _network(context: BuildContext, **changes: Any) -> Reconstruction:
    torch.manual_seed(0)
    return build(
        options=Options.model_validate({"steps": 9, "batch_size": 2, "width": 4} | changes),
        context=context,
    )


def test_at_full_size_the_middle_layer_is_an_eighth_and_256_wide(context: BuildContext) -> None:
    with torch.device("meta"):
        network = build(options=Options(steps=1), context=context)
        assert network.encode(torch.zeros(1, 3, 256, 256)).shape == (1, 256, 32, 32)
    assert network.channels == 256
    # conv 3→64 k7; 64→128→256→256 k4 s2; 2 residual blocks: 2·2·(256·256·9 + 256)
    encoder = 9_472 + 131_200 + 524_544 + 1_048_832 + 2_360_320
    assert sum(p.numel() for p in network.encoder.parameters()) == encoder
    # 2 residual blocks; 256→256→128→64 k3; 64→3 k7
    decoder = 2_360_320 + 590_080 + 295_040 + 73_792 + 9_411
    assert sum(p.numel() for p in network.decoder.parameters()) == decoder


@pytest.mark.parametrize(
    ("downsamplings", "shape"),
    [(1, (8, 16, 16)), (2, (16, 8, 8)), (3, (16, 4, 4)), (4, (16, 2, 2))],
)
def test_downsamplings_set_the_middle_layer(
    context: BuildContext, downsamplings: int, shape: tuple[int, int, int]
) -> None:
    network = _network(context, downsamplings=downsamplings)
    image = torch.rand(2, 3, 32, 32)
    assert network.encode(image).shape == (2, *shape)
    assert network(image).shape == image.shape
    assert network.channels == shape[0]


def test_no_connection_bypasses_the_middle_layer(
    network: Reconstruction, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = network.encode(batch.image)
    assert torch.equal(network(batch.image), network.decoder(code))
    monkeypatch.setattr(network.encoder, "forward", lambda image: code)
    assert torch.equal(network(batch.image), network(torch.zeros_like(batch.image)))


def test_it_learns_to_reconstruct(context: BuildContext, batch: Batch, run_steps: RunSteps) -> None:
    network = _network(context, lr=5e-3)
    before = (network(batch.image) - batch.image).abs().mean()
    (phase,) = network.phases()
    assert not phase.labels
    history = run_steps(network, phase, batch, 40)
    assert set(history[0]) == {"l1", "perceptual"}
    assert history[0]["l1"] == pytest.approx(before.item(), rel=1e-5)
    for term in ("l1", "perceptual"):
        assert history[-1][term] < 0.5 * history[0][term]


def test_the_hole_is_none_of_its_business(network: Reconstruction, batch: Batch) -> None:
    (phase,) = network.phases()
    (update,) = phase.train_step(batch)
    (again,) = phase.train_step(Batch(batch.image, 1 - batch.hole))
    for name, term in update.terms.items():
        assert torch.equal(term, again.terms[name])


def test_weights_scale_their_terms(context: BuildContext, batch: Batch) -> None:
    terms = []
    for l1_weight, perceptual_weight in ((1, 1), (2, 0.5)):
        network = _network(context, l1_weight=l1_weight, perceptual_weight=perceptual_weight)
        (update,) = network.phases()[0].train_step(batch)
        terms.append(update.terms)
    torch.testing.assert_close(terms[1]["l1"], 2 * terms[0]["l1"])
    torch.testing.assert_close(terms[1]["perceptual"], 0.5 * terms[0]["perceptual"])


def test_nothing_is_normalised_before_the_first_activation(network: Reconstruction) -> None:
    """It would remove the mean colour of every channel."""
    kinds = [type(layer) for layer in network.encoder]
    assert kinds[:2] == [nn.Conv2d, nn.ReLU]
    assert kinds.count(InstanceNorm2d) == network.options.downsamplings


def test_frozen_it_leads_gradients_to_the_image(network: Reconstruction, batch: Batch) -> None:
    image = batch.image.clone().requires_grad_()
    freeze(network).encode(image).square().mean().backward()
    assert image.grad is not None
    assert image.grad.abs().sum() > 0


def test_the_encoder_encodes_images_independently(network: Reconstruction, batch: Batch) -> None:
    alone = network.encode(batch.image[:1])
    torch.testing.assert_close(network.encode(batch.image)[:1], alone)


def test_the_optimiser_is_the_papers(network: Reconstruction) -> None:
    (phase,) = network.phases()
    optimiser = phase.optimisers["reconstruction"]
    assert isinstance(optimiser, torch.optim.Adam)
    (group,) = optimiser.param_groups
    assert (group["lr"], group["betas"], group["weight_decay"]) == (2e-4, (0.9, 0.99), 0)
    assert (phase.steps, phase.batch_size, phase.schedulers) == (9, 2, {})


@pytest.mark.parametrize(("image_size", "downsamplings"), [(32, 5), (36, 3), (8, 3)])
def test_a_middle_layer_that_does_not_fit_is_refused(
    context: BuildContext, image_size: int, downsamplings: int
) -> None:
    with pytest.raises(UserError, match=f"^downsamplings: .* {downsamplings} .* {image_size} "):
        build(
            options=Options(steps=1, batch_size=1, downsamplings=downsamplings),
            context=BuildContext(image_size=image_size, features=context.features),
        )


def test_options_are_checked() -> None:
    assert Options.model_validate({"steps": 1, "l1_weight": 2}).l1_weight == 2
    for bad in (
        {"downsamplings": 0},
        {"blocks": -1},
        {"l1_weight": -1.0},
        {"beta2": 1.0},
        {"x": 1},
    ):
        with pytest.raises(ValidationError):
            Options.model_validate({"steps": 1} | bad)
