import math

import pytest
import torch
from torch import Tensor, nn

from mdrnets.networks.partial_conv import PartialConv2d
from mdrnets.networks.partial_unet import PartialBlock, PartialUNet


def _count(module: nn.Module, *, trainable: bool = False) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad or not trainable)


def _build_published(levels: int) -> PartialUNet:
    with torch.device("meta"):
        return PartialUNet(levels=levels, width=64, max_width=512)


def _tiny(levels: int = 3) -> PartialUNet:
    torch.manual_seed(0)
    return PartialUNet(levels=levels, width=4, max_width=8)


def _validities(network: PartialUNet, hole: Tensor) -> list[Tensor]:
    """Validity after each block, encoder first."""
    seen: list[Tensor] = []
    for block in [*network.encoder, *network.decoder]:
        block.register_forward_hook(lambda module, args, output: seen.append(output[1]))
    network(torch.zeros(hole.shape[0], 3, *hole.shape[2:]), hole)
    return seen


def _square(*, size: int, side: int) -> Tensor:
    hole = torch.zeros(1, 1, size, size)
    first = (size - side) // 2
    hole[..., first : first + side, first : first + side] = 1
    return hole


@pytest.mark.parametrize(
    ("levels", "size"), [(5, 11_619_924), (6, 18_699_860), (7, 25_779_796), (8, 32_859_732)]
)
def test_it_has_the_published_size(levels: int, size: int) -> None:
    assert _count(_build_published(levels), trainable=True) == size


@pytest.mark.parametrize(
    ("levels", "width", "max_width", "size"),
    [(5, 32, 256, 2_909_012), (5, 16, 128, 729_300), (4, 32, 256, 1_138_516)],
)
def test_it_has_the_expected_size_when_scaled_down(
    levels: int, width: int, max_width: int, size: int
) -> None:
    with torch.device("meta"):
        assert _count(PartialUNet(levels=levels, width=width, max_width=max_width)) == size


def test_every_block_has_the_published_size() -> None:
    network = _build_published(7)
    assert [_count(block) for block in network.encoder] == [
        9_408, 205_056, 819_712, 1_180_672, 2_360_320, 2_360_320, 2_360_320,
    ]  # fmt: skip
    assert [_count(block) for block in network.decoder] == [
        4_719_616, 4_719_616, 4_719_616, 1_769_984, 442_624, 110_720, 1_812,
    ]  # fmt: skip


def test_normalisation_and_bias_are_where_the_paper_has_them() -> None:
    network = _build_published(7)
    convolutions = [m for m in network.modules() if isinstance(m, PartialConv2d)]
    assert len(convolutions) == 14
    assert [conv.bias is not None for conv in convolutions] == [False] * 13 + [True]
    blocks = [m for m in network.modules() if isinstance(m, PartialBlock)]
    normalised = [isinstance(block.norm, nn.BatchNorm2d) for block in blocks]
    assert normalised == [False, *[True] * 12, False]
    assert len(network.encoder_norms()) == 6


def test_it_costs_the_published_number_of_multiplications() -> None:
    network = _build_published(7)
    total = 0

    def add(module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        total += next(module.parameters()).numel() * output.shape[-1] * output.shape[-2]

    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(add)
    network(torch.zeros(1, 3, 256, 256, device="meta"), torch.zeros(1, 1, 256, 256, device="meta"))
    assert total / 1e9 == pytest.approx(9.472, abs=5e-4)


def test_it_keeps_the_size_and_is_linear_at_the_end() -> None:
    network = _tiny().eval()
    image, hole = torch.randn(2, 3, 16, 24), torch.zeros(2, 1, 16, 24)
    output = network(100 * image, hole)
    assert output.shape == image.shape
    assert output.abs().max() > 1


def test_an_image_that_is_all_hole_gives_zeros_and_finite_gradients() -> None:
    network = _tiny()
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.reset_parameters()
    output = network(torch.randn(1, 3, 16, 16), torch.ones(1, 1, 16, 16))
    assert not output.any()
    output.sum().backward()
    for parameter in network.parameters():
        assert parameter.grad is None or torch.isfinite(parameter.grad).all()


@pytest.mark.parametrize(
    ("side", "sides"),
    [(128, [61, 29, 13, 5, 1, 0, 0]), (192, [93, 45, 21, 9, 3, 1, 0])],
)
def test_a_square_hole_closes_level_by_level(side: int, sides: list[int]) -> None:
    network = PartialUNet(levels=7, width=1, max_width=1)
    invalid = [int((1 - m).sum()) for m in _validities(network, _square(size=256, side=side))]
    assert invalid[:7] == [s**2 for s in sides]
    assert invalid[7:] == [0] * 7


def test_one_valid_pixel_is_enough_at_full_depth() -> None:
    hole = torch.ones(1, 1, 256, 256)
    hole[..., 0, 0] = 0
    validities = _validities(PartialUNet(levels=7, width=1, max_width=1), hole)
    assert all(set(m.unique().tolist()) <= {0.0, 1.0} for m in validities)
    assert validities[5].min() == 0  # not yet at the sixth level
    assert validities[6].all() and validities[-1].all()


def test_a_skip_brings_known_pixels_to_the_last_block() -> None:
    network = _tiny().eval()
    image = torch.randn(1, 3, 16, 16, requires_grad=True)
    network.encoder.requires_grad_(False)
    for block in network.decoder[:-1]:  # nothing may come from below
        assert isinstance(block, PartialBlock)
        nn.init.zeros_(block.conv.conv.weight)
    network(image, torch.zeros(1, 1, 16, 16))[0, 0, 5, 7].backward()
    assert image.grad is not None
    rows, columns = image.grad[0].abs().sum(dim=0).nonzero(as_tuple=True)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (4, 6, 6, 8)


def test_weights_start_as_he_et_al_have_it() -> None:
    torch.manual_seed(0)
    network = PartialUNet(levels=3, width=32, max_width=64)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            expected = math.sqrt(2 / module.weight[0].numel())
            assert module.weight.std().item() == pytest.approx(expected, rel=0.1)


def test_frozen_encoder_norms_leave_the_published_size() -> None:
    network = _build_published(7)
    network.freeze_encoder_norms()
    assert _count(network, trainable=True) == 25_774_932
