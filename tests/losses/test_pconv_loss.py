from collections.abc import Sequence

import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from torch import Tensor

from mdrnets.losses.pconv import PConvLoss, PConvWeights
from mdrnets.networks.features import PerceptualFeatures

ONES = PConvWeights(valid=1, hole=1, perceptual=1, style=1, total_variation=1)


class PooledFeatures(PerceptualFeatures):
    """The image and its square, pooled by 2, 4 and 8; records the calls."""

    name = "pooled"

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[bool, tuple[str, ...], bool]] = []

    def forward(
        self, image: Tensor, taps: Sequence[str], *, normalise: bool = True
    ) -> list[Tensor]:
        self.calls.append((image.requires_grad, tuple(taps), normalise))
        return _maps(image, [2 ** int(tap.removeprefix("pool")) for tap in taps])


def _maps(image: Tensor, strides: Sequence[int]) -> list[Tensor]:
    return [F.avg_pool2d(torch.cat([image, image.square()], dim=1), s) for s in strides]


def _loss(weights: PConvWeights = ONES) -> PConvLoss:
    return PConvLoss(features=PooledFeatures(), weights=weights)


@pytest.fixture
def image() -> Tensor:
    return torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.fixture
def output() -> Tensor:
    return torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(2)) * 2 - 1


@pytest.fixture
def hole() -> Tensor:
    hole = torch.zeros(2, 1, 16, 16)
    hole[0, :, 4:12, 4:8] = 1
    hole[1, :, 2:6, 2:14] = 1
    return hole


def test_the_weights_are_the_papers() -> None:
    assert PConvWeights().model_dump() == {
        "valid": 1.0,
        "hole": 6.0,
        "perceptual": 0.05,
        "style": 120.0,
        "total_variation": 0.1,
    }


def test_hole_and_valid_together_are_the_plain_l1(
    output: Tensor, image: Tensor, hole: Tensor
) -> None:
    terms = _loss()(output=output, image=image, hole=hole)
    torch.testing.assert_close(terms["valid"] + terms["hole"], (output - image).abs().mean())


def test_hole_and_valid_are_divided_by_the_whole_image() -> None:
    hole = torch.zeros(1, 1, 16, 16)
    hole[..., :4] = 1  # a quarter
    terms = _loss()(
        output=torch.full((1, 3, 16, 16), 0.5), image=torch.zeros(1, 3, 16, 16), hole=hole
    )
    assert terms["hole"].item() == pytest.approx(0.5 / 4)
    assert terms["valid"].item() == pytest.approx(0.5 * 3 / 4)


def test_perceptual_and_style_compare_output_and_composite_with_the_image(
    output: Tensor, image: Tensor, hole: Tensor
) -> None:
    perceptual = style = 0.0
    completed = torch.where(hole.bool(), output, image)
    for guess in (output, completed):
        for x, y in zip(_maps(guess, (2, 4, 8)), _maps(image, (2, 4, 8)), strict=True):
            perceptual += (x - y).abs().mean().item()
            grams = [torch.einsum("bchw,bdhw->bcd", z, z) / z[0].numel() for z in (x, y)]
            style += (grams[0] - grams[1]).abs().mean().item()

    terms = _loss()(output=output, image=image, hole=hole)
    assert terms["perceptual"].item() == pytest.approx(perceptual, rel=1e-5)
    assert terms["style"].item() == pytest.approx(style, rel=1e-5)


def test_total_variation_is_of_the_composite_in_the_dilated_hole(
    output: Tensor, image: Tensor, hole: Tensor
) -> None:
    completed = torch.where(hole.bool(), output, image)
    total = 0.0
    for b, (top, bottom, left, right) in enumerate([(3, 13, 3, 9), (1, 7, 1, 15)]):
        region = completed[b, :, top:bottom, left:right]
        total += region.diff(dim=1).abs().sum().item() + region.diff(dim=2).abs().sum().item()
    terms = _loss()(output=output, image=image, hole=hole)
    assert terms["total_variation"].item() == pytest.approx(total / image.numel(), rel=1e-5)


def test_a_perfect_output_leaves_only_total_variation(image: Tensor, hole: Tensor) -> None:
    terms = _loss()(output=image, image=image, hole=hole)
    assert terms.pop("total_variation") > 0
    assert all(term == 0 for term in terms.values())


def test_a_perfect_output_on_a_flat_image_has_zero_loss(hole: Tensor) -> None:
    flat = torch.full((2, 3, 16, 16), 0.3)
    assert all(term == 0 for term in _loss()(output=flat, image=flat, hole=hole).values())


def test_each_weight_scales_its_own_term(output: Tensor, image: Tensor, hole: Tensor) -> None:
    plain = _loss()(output=output, image=image, hole=hole)
    weighted = _loss(PConvWeights())(output=output, image=image, hole=hole)
    assert list(plain) == list(weighted) == list(PConvWeights.model_fields)
    for name, weight in PConvWeights():
        torch.testing.assert_close(weighted[name], weight * plain[name])


def test_gradients_through_the_composite_reach_only_the_hole(
    output: Tensor, image: Tensor, hole: Tensor
) -> None:
    output.requires_grad_()
    _loss()(output=output, image=image, hole=hole)["total_variation"].backward()
    assert output.grad is not None
    assert (output.grad * (1 - hole)).abs().sum() == 0
    assert (output.grad * hole).abs().sum() > 0


def test_gradients_reach_every_pixel_and_the_target_is_a_constant(
    output: Tensor, image: Tensor, hole: Tensor
) -> None:
    features = PooledFeatures()
    output.requires_grad_()
    terms = PConvLoss(features=features, weights=ONES)(output=output, image=image, hole=hole)
    torch.stack(list(terms.values())).sum().backward()
    assert output.grad is not None
    assert output.grad.isfinite().all()
    assert (output.grad != 0).all()
    # Pools of VGG, of images in [-1, 1] to be normalised; of the three images, one is a constant.
    assert sorted(features.calls) == [
        (wants_gradient, ("pool1", "pool2", "pool3"), True)
        for wants_gradient in (False, True, True)
    ]


@pytest.mark.parametrize("everywhere", [0.0, 1.0])
def test_empty_and_full_holes_are_finite(output: Tensor, image: Tensor, everywhere: float) -> None:
    terms = _loss()(output=output, image=image, hole=torch.full((2, 1, 16, 16), everywhere))
    assert all(term.isfinite() for term in terms.values())
    assert terms["hole" if everywhere == 0 else "valid"] == 0


def test_weights_come_from_yaml_and_are_checked() -> None:
    assert PConvWeights.model_validate({"hole": 6, "style": 0}).style == 0
    for bad in ({"hole": -1.0}, {"tv": 0.1}, {"hole": "6"}):
        with pytest.raises(ValidationError):
            PConvWeights.model_validate(bad)
