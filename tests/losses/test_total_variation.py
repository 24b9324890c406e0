import pytest
import torch
from torch import Tensor

from mdrnets.losses.total_variation import dilate, total_variation_loss


def _by_loops(image: Tensor, region: Tensor) -> float:
    B, C, H, W = image.shape
    total = 0.0
    for b in range(B):
        for y in range(H):
            for x in range(W):
                for v, u in ((y, x + 1), (y + 1, x)):
                    if v < H and u < W and region[b, 0, y, x] and region[b, 0, v, u]:
                        total += float((image[b, :, y, x] - image[b, :, v, u]).abs().sum())
    return total / (B * C * H * W)


def test_it_counts_neighbours_that_are_both_in_the_region() -> None:
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(2, 3, 7, 5, generator=generator)
    region = (torch.rand(2, 1, 7, 5, generator=generator) < 0.6).float()
    loss = total_variation_loss(image, region)
    assert loss.item() == pytest.approx(_by_loops(image, region), rel=1e-5)


def test_an_edge_is_counted_once_for_each_pixel_along_it() -> None:
    image = torch.zeros(1, 1, 4, 4)
    image[..., 2:] = 1.0
    assert total_variation_loss(image, torch.ones(1, 1, 4, 4)).item() == pytest.approx(4 / 16)


def test_nothing_outside_the_region_matters() -> None:
    image = torch.randn(1, 3, 8, 8, requires_grad=True)
    region = torch.zeros(1, 1, 8, 8)
    region[..., 2:5, 3:7] = 1
    total_variation_loss(image, region).backward()
    assert image.grad is not None
    outside = (1 - region).bool().expand_as(image)
    assert not image.grad[outside].any()
    assert image.grad[~outside].any()


def test_a_constant_image_and_an_empty_region_have_none() -> None:
    assert total_variation_loss(torch.full((1, 3, 4, 4), 0.3), torch.ones(1, 1, 4, 4)) == 0
    assert total_variation_loss(torch.randn(1, 3, 4, 4), torch.zeros(1, 1, 4, 4)) == 0


@pytest.mark.parametrize(("pixels", "side"), [(1, 5), (2, 7)])
def test_dilation_grows_a_square_on_all_sides(pixels: int, side: int) -> None:
    hole = torch.zeros(1, 1, 12, 12)
    hole[..., 4:7, 5:8] = 1
    expected = torch.zeros(1, 1, 12, 12)
    expected[..., 4 - pixels : 7 + pixels, 5 - pixels : 8 + pixels] = 1
    assert torch.equal(dilate(hole, pixels), expected)
    assert int(expected.sum()) == side**2


def test_dilation_stops_at_the_border() -> None:
    hole = torch.zeros(1, 1, 6, 6)
    hole[..., 0, 0] = 1
    assert int(dilate(hole).sum()) == 4
