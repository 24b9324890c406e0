from collections.abc import Callable, Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mdrnets.data.classes import CLASSES
from mdrnets.losses.perceptual import gram_style_loss, statistics_style_loss
from mdrnets.losses.total_variation import dilate, total_variation_loss
from mdrnets.methods.base import Batch
from mdrnets.methods.mdrnets.coordination import coordination_loss
from mdrnets.methods.mdrnets.losses import GeneratorLosses, Weights
from mdrnets.networks.composite import composite
from mdrnets.networks.features import PerceptualFeatures
from mdrnets.networks.frozen import freeze

TAPS = ("relu1_2", "relu3_3")
NOTHING = dict.fromkeys(Weights.model_fields, 0.0)


class _Recon(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 8, stride=8)

    def encode(self, image: Tensor) -> Tensor:
        features: Tensor = self.conv(image)
        return features


class _Counting(PerceptualFeatures):
    """Features that record for each pass whether it built a graph."""

    def __init__(self, features: PerceptualFeatures) -> None:
        super().__init__()
        self.features = features
        self.passes: list[bool] = []

    def forward(
        self, image: Tensor, taps: Sequence[str], *, normalise: bool = True
    ) -> list[Tensor]:
        self.passes.append(torch.is_grad_enabled())
        return self.features(image, taps, normalise=normalise)


@pytest.fixture
def labels() -> Tensor:
    return torch.randint(0, 14, (2, 32, 32), generator=torch.Generator().manual_seed(0))


@pytest.fixture
def output(batch: Batch) -> Tensor:
    noise = torch.randn(batch.image.shape, generator=torch.Generator().manual_seed(1))
    return torch.tanh(batch.image + 0.3 * noise).requires_grad_()


@pytest.fixture
def losses(fake_features: Callable[[str], PerceptualFeatures]) -> GeneratorLosses:
    torch.manual_seed(0)
    return GeneratorLosses(
        weights=Weights(),
        adversarial="hinge",
        style="statistics",
        taps=TAPS,
        discriminator=nn.Conv2d(3, 1, 4, stride=4),
        parser=freeze(nn.Conv2d(3, len(CLASSES), 1)),
        features=_Counting(fake_features("vgg16")),
        recon=freeze(_Recon()),
    )


def _terms(
    losses: GeneratorLosses, batch: Batch, output: Tensor, labels: Tensor, **changes: object
) -> dict[str, Tensor]:
    values = {field: getattr(losses, field) for field in GeneratorLosses.__dataclass_fields__}
    changed = GeneratorLosses(**(values | changes))
    return changed(output=output, image=batch.image, hole=batch.hole, labels=labels)


def test_each_term_is_what_it_says_at_weight_one(
    losses: GeneratorLosses, batch: Batch, output: Tensor, labels: Tensor
) -> None:
    image, hole = batch.image, batch.hole
    assert losses.features is not None
    composed, size = composite(image, output, hole), image.numel()
    maps = losses.features(output, TAPS), losses.features(image, TAPS)
    expected = {
        "hole": (output - image).abs()[hole.bool().expand_as(image)].sum() / size,
        "valid": (output - image).abs()[~hole.bool().expand_as(image)].sum() / size,
        "perceptual": torch.stack([F.l1_loss(a, b) for a, b in zip(*maps, strict=True)]).sum(),
        "style": statistics_style_loss(*maps),
        "adversarial": -losses.discriminator(composed).mean(),
        "total_variation": total_variation_loss(composed, dilate(hole)),
        "semantic": F.cross_entropy(losses.parser(output), labels),
        "incoordination": coordination_loss(
            losses.recon.encode(output),
            losses.recon.encode(image),
            labels=labels,
            hole=hole,
            classes=14,
        ),
    }
    result = _terms(losses, batch, output, labels, weights=Weights(**dict.fromkeys(NOTHING, 1.0)))
    assert set(result) == set(expected) == set(Weights.model_fields)
    for name, loss in expected.items():
        torch.testing.assert_close(result[name], loss, msg=name)


def test_terms_are_weighted(
    losses: GeneratorLosses, batch: Batch, output: Tensor, labels: Tensor
) -> None:
    ones = _terms(losses, batch, output, labels, weights=Weights(**dict.fromkeys(NOTHING, 1.0)))
    result = _terms(losses, batch, output, labels)
    weights = {
        "hole": 6,
        "valid": 1,
        "perceptual": 0.05,
        "style": 10,
        "adversarial": 0.1,
        "total_variation": 0.1,
        "semantic": 0.1,
        "incoordination": 1,
    }
    assert set(result) == set(weights)
    for name, weight in weights.items():
        torch.testing.assert_close(result[name], weight * ones[name])


def test_a_term_of_weight_zero_is_not_computed(
    losses: GeneratorLosses, batch: Batch, output: Tensor, labels: Tensor
) -> None:
    absent = dict.fromkeys(["parser", "recon", "features", "discriminator"])  # would fail if called
    weights = Weights(**(NOTHING | {"hole": 1.0}))
    assert set(_terms(losses, batch, output, labels, weights=weights, **absent)) == {"hole"}


@pytest.mark.parametrize(
    ("name", "part"),
    [("semantic", "parser"), ("incoordination", "recon"), ("adversarial", "discriminator")],
)
def test_an_ablated_loss_needs_no_network(
    losses: GeneratorLosses, batch: Batch, output: Tensor, labels: Tensor, name: str, part: str
) -> None:
    weights = Weights(**{name: 0.0})
    result = _terms(losses, batch, output, labels, weights=weights, **{part: None})
    assert set(result) == set(Weights.model_fields) - {name}


def test_perceptual_and_style_share_two_passes_one_of_them_without_graph(
    losses: GeneratorLosses, batch: Batch, output: Tensor, labels: Tensor
) -> None:
    features = losses.features
    assert isinstance(features, _Counting)
    _terms(losses, batch, output, labels)
    assert sorted(features.passes) == [False, True]


@pytest.mark.parametrize(("name", "part"), [("semantic", "parser"), ("incoordination", "recon")])
def test_the_gradient_passes_through_frozen_networks_and_not_to_them(
    losses: GeneratorLosses, batch: Batch, output: Tensor, labels: Tensor, name: str, part: str
) -> None:
    weights = Weights(**(NOTHING | {name: 1.0}))
    _terms(losses, batch, output, labels, weights=weights)[name].backward()
    assert output.grad is not None
    assert output.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in getattr(losses, part).parameters())


def test_the_adversarial_term_spares_the_discriminator_but_leaves_it_trainable(
    losses: GeneratorLosses, batch: Batch, output: Tensor, labels: Tensor
) -> None:
    weights = Weights(**(NOTHING | {"adversarial": 1.0}))
    _terms(losses, batch, output, labels, weights=weights)["adversarial"].backward()
    assert output.grad is not None
    inside = batch.hole.bool().expand_as(output)
    assert output.grad[inside].abs().sum() > 0
    assert (output.grad[~inside] == 0).all()  # it receives the composite
    for parameter in losses.discriminator.parameters():
        assert parameter.grad is None
        assert parameter.requires_grad


def test_style_by_gram_matrices(
    losses: GeneratorLosses, batch: Batch, output: Tensor, labels: Tensor
) -> None:
    assert losses.features is not None
    maps = losses.features(output, TAPS), losses.features(batch.image, TAPS)
    result = _terms(losses, batch, output, labels, style="gram")["style"]
    torch.testing.assert_close(result, 10 * gram_style_loss(*maps))


def test_the_ground_truth_costs_no_reconstruction(
    losses: GeneratorLosses, batch: Batch, labels: Tensor
) -> None:
    result = _terms(losses, batch, batch.image, labels)
    for name in ("hole", "valid", "perceptual", "style", "incoordination"):
        assert result[name].item() == 0, name
    assert result["semantic"].item() > 0


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_empty_and_full_holes_are_finite(
    losses: GeneratorLosses, batch: Batch, output: Tensor, labels: Tensor, value: float
) -> None:
    extreme = Batch(image=batch.image, hole=torch.full_like(batch.hole, value))
    result = _terms(losses, extreme, output, labels)
    torch.stack(list(result.values())).sum().backward()
    assert output.grad is not None
    assert torch.isfinite(output.grad).all()
    assert result["valid" if value else "hole"].item() == 0
