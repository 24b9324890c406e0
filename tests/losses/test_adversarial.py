import math
from typing import get_args

import pytest
import torch
import torch.nn.functional as F

from mdrnets.losses.adversarial import Adversarial, discriminator_loss, generator_loss

REAL = torch.tensor([2.0, 0.0])
FAKE = torch.tensor([-1.0, 3.0])


def _softplus(x: float) -> float:
    return math.log1p(math.exp(x))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("hinge", 0.5 * ((0 + 1) / 2 + (0 + 4) / 2)),
        ("bce", 0.25 * (_softplus(-2) + _softplus(0) + _softplus(-1) + _softplus(3))),
        ("lsgan", 0.5 * ((1 + 1) / 2 + (1 + 9) / 2)),
    ],
)
def test_the_discriminators_loss_is_the_one_computed_by_hand(
    kind: Adversarial, expected: float
) -> None:
    assert discriminator_loss(REAL, FAKE, kind=kind).item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("hinge", -1.0),
        ("bce", 0.5 * (_softplus(1) + _softplus(-3))),
        ("lsgan", (4 + 4) / 2),
    ],
)
def test_the_generators_loss_is_the_one_computed_by_hand(
    kind: Adversarial, expected: float
) -> None:
    assert generator_loss(FAKE, kind=kind).item() == pytest.approx(expected)


def test_bce_is_binary_cross_entropy_of_the_logits() -> None:
    real, fake = torch.randn(2, 1, 3, 3), torch.randn(2, 1, 3, 3)
    on_real = F.binary_cross_entropy_with_logits(real, torch.ones_like(real))
    on_fake = F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake))
    torch.testing.assert_close(discriminator_loss(real, fake, kind="bce"), (on_real + on_fake) / 2)


@pytest.mark.parametrize("kind", get_args(Adversarial))
def test_both_sides_pull_the_fake_logits_in_opposite_directions(kind: Adversarial) -> None:
    fake = torch.full((1, 1, 2, 2), 0.5, requires_grad=True)
    (down,) = torch.autograd.grad(discriminator_loss(REAL, fake, kind=kind), fake)
    (up,) = torch.autograd.grad(generator_loss(fake, kind=kind), fake)
    assert (down > 0).all()
    assert (up < 0).all()


def test_extreme_logits_keep_bce_finite() -> None:
    huge = torch.tensor([1e4, -1e4])
    assert torch.isfinite(discriminator_loss(huge, huge, kind="bce"))
    assert torch.isfinite(generator_loss(huge, kind="bce"))
