import pytest
import torch
from torch import Tensor

from mdrnets.losses.perceptual import (
    VARIANCE_FLOOR,
    gram,
    gram_style_loss,
    perceptual_loss,
    statistics_style_loss,
)

LOSSES = [perceptual_loss, gram_style_loss, statistics_style_loss]


def _maps(seed: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(2, 3, 8, 6, generator=generator, dtype=torch.float64),
        torch.randn(2, 5, 4, 3, generator=generator, dtype=torch.float64),
    ]


@pytest.mark.parametrize("loss", LOSSES)
def test_it_is_zero_for_the_same_maps_and_only_then(loss) -> None:  # type: ignore[no-untyped-def]
    assert loss(_maps(0), _maps(0)) == 0
    assert loss(_maps(0), _maps(1)) > 0


@pytest.mark.parametrize("loss", LOSSES)
def test_pairs_add_up(loss) -> None:  # type: ignore[no-untyped-def]
    a, b = _maps(0), _maps(1)
    torch.testing.assert_close(loss(a, b), loss(a[:1], b[:1]) + loss(a[1:], b[1:]))


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_agree_with_differences(loss) -> None:  # type: ignore[no-untyped-def]
    b = _maps(1)[1:]
    assert torch.autograd.gradcheck(lambda x: loss([x], b), _maps(0)[1].requires_grad_(), atol=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
def test_an_unequal_number_of_maps_is_refused(loss) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="shorter"):
        loss(_maps(0), _maps(1)[:1])


def test_perceptual_is_the_mean_over_all_elements() -> None:
    a = torch.zeros(2, 3, 4, 4)
    b = a.clone()
    b[0, 0, 0, 0], b[1, 2, 3, 3] = 6.0, -3.0
    assert perceptual_loss([a], [b]).item() == pytest.approx(9 / 96)


def test_gram_is_the_scaled_product_of_channels() -> None:
    features = _maps(0)[0]
    expected = torch.einsum("bchw,bdhw->bcd", features, features) / (3 * 8 * 6)
    torch.testing.assert_close(gram(features), expected)


def test_gram_style_is_the_mean_difference_of_gram_matrices() -> None:
    a, b = torch.ones(1, 2, 4, 4), torch.ones(1, 2, 4, 4)
    b[:, 1] = 3.0  # Gram matrices, times 1/2: [[1, 1], [1, 1]] and [[1, 3], [3, 9]]
    assert gram_style_loss([a], [b]).item() == pytest.approx((0 + 2 + 2 + 8) / 2 / 4)


def test_style_ignores_where_things_are() -> None:
    a = _maps(0)
    shuffled = [x.flip(2).roll(1, dims=3) for x in a]
    assert perceptual_loss(a, shuffled) > 0.1
    for loss in (gram_style_loss, statistics_style_loss):
        assert loss(a, shuffled).item() == pytest.approx(0, abs=1e-12)


def test_gram_keeps_full_precision_under_autocast() -> None:
    features = _maps(0)[0].float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert gram(features.bfloat16()).dtype == torch.float32
        inside = gram(features)
    assert torch.equal(inside, gram(features))


def test_statistics_style_compares_means_and_deviations() -> None:
    a, b = _maps(0)[:1], _maps(1)[:1]

    def statistics(x: Tensor) -> tuple[Tensor, Tensor]:
        mean = x.mean(dim=(2, 3))
        return mean, ((x - mean[:, :, None, None]) ** 2).mean(dim=(2, 3)).add(1e-5).sqrt()

    expected = sum(
        (u - v).square().mean() for u, v in zip(statistics(a[0]), statistics(b[0]), strict=True)
    )
    assert VARIANCE_FLOOR == 1e-5
    torch.testing.assert_close(statistics_style_loss(a, b), torch.as_tensor(expected))


def test_constant_maps_have_a_finite_gradient() -> None:
    constant = torch.ones(1, 2, 4, 4, requires_grad=True)
    statistics_style_loss([constant], [torch.randn(1, 2, 4, 4)]).backward()
    assert constant.grad is not None and torch.isfinite(constant.grad).all()
