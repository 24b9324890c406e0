import pytest
import torch
import torch.nn.functional as F
from skimage.color import rgb2gray
from skimage.feature import canny
from torch import nn

from mdrnets.methods.ctsdg.discriminator import Discriminator, EdgeDetector
from mdrnets.methods.ctsdg.fusion import BiGFF, FusionTail, MultiScaleAggregation, RegionAffinity
from mdrnets.methods.ctsdg.generator import Generator
from mdrnets.methods.ctsdg.structure import detect_edges, detect_visible_edges, to_grey
from mdrnets.networks.partial_conv import PartialConv2d


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _picture(size: int = 32) -> torch.Tensor:
    """A bright disc with a dark square: something with edges, B×3×H×W in [-1, 1]."""
    axis = torch.linspace(-1, 1, size)
    disc = (axis[None] ** 2 + axis[:, None] ** 2 < 0.6).float()
    disc[size // 3 : size // 2, size // 3 : size // 2] = 0
    return (disc * 1.6 - 0.8).expand(1, 3, size, size).clone()


@pytest.mark.parametrize(
    ("levels", "width", "expected"),
    [
        (7, 64, 52_147_789),
        (6, 64, 37_987_917),
        (6, 48, 21_374_653),
        (5, 32, 5_964_589),
        (5, 24, 3_357_925),
    ],
)
def test_generator_parameters(levels: int, width: int, expected: int) -> None:
    with torch.device("meta"):
        assert _count(Generator(levels=levels, width=width)) == expected


def test_parameters_of_the_parts() -> None:
    with torch.device("meta"):
        generator = Generator(levels=7, width=64)
        assert _count(generator.texture_encoder) == 9_295_808
        assert _count(generator.structure_encoder) == 9_292_672
        assert _count(generator.texture_decoder) == 16_520_896
        assert _count(generator.structure_decoder) == 16_520_320
        assert _count(generator.structure_projection) == 18_657
        assert _count(generator.texture_projection) == 18_787
        assert _count(generator.fusion) == 147_586
        assert _count(generator.tail.aggregation) == 184_900
        assert _count(EdgeDetector()) == 5_201
    assert _count(Discriminator(base=64)) == 5_531_729
    assert _count(Discriminator(base=32)) == 1_392_209


def test_no_partial_convolution_has_a_bias() -> None:
    layers = [m for m in Generator(levels=3, width=4).modules() if isinstance(m, PartialConv2d)]
    assert len(layers) == 12
    assert all(layer.bias is None for layer in layers)


def test_bottlenecks_are_swapped() -> None:
    torch.manual_seed(0)
    generator = Generator(levels=3, width=4)
    hole = torch.zeros(2, 1, 16, 16)
    output = generator(
        torch.randn(2, 3, 16, 16), torch.rand(2, 1, 16, 16), torch.rand(2, 1, 16, 16), hole
    )
    deepest = [
        encoder[-1].get_parameter("conv.conv.weight")
        for encoder in (generator.texture_encoder, generator.structure_encoder)
    ]
    texture_gradient = torch.autograd.grad(
        output.projected_image.sum(), deepest, retain_graph=True, allow_unused=True
    )
    structure_gradient = torch.autograd.grad(
        output.projected_edge.sum(), deepest, allow_unused=True
    )
    assert (
        texture_gradient[0] is None
        and texture_gradient[1] is not None
        and texture_gradient[1].any()
    )
    assert (
        structure_gradient[1] is None
        and structure_gradient[0] is not None
        and structure_gradient[0].any()
    )


def test_fusion_starts_as_a_concatenation_and_uses_the_updated_texture() -> None:
    torch.manual_seed(0)
    fusion = BiGFF(channels=4)
    texture, structure = torch.randn(1, 4, 5, 5), torch.randn(1, 4, 5, 5)
    assert torch.equal(fusion(texture, structure), torch.cat([texture, structure], dim=1))

    with torch.no_grad():
        fusion.alpha.fill_(1)
        fusion.beta.fill_(1)
    both = torch.cat([texture, structure], dim=1)
    # Both gates are computed by one convolution.
    updated = texture + fusion.structure_gate(both) * structure
    expected = structure + fusion.texture_gate(both) * updated
    torch.testing.assert_close(fusion(texture, structure)[:, 4:], expected)


def test_region_affinity_of_a_constant_is_damped_only_at_the_border() -> None:
    out = RegionAffinity()(torch.ones(1, 8, 32, 32))[0, 0]
    torch.testing.assert_close(out[1:-1, 1:-1], torch.ones(30, 30), atol=1e-5, rtol=0)
    torch.testing.assert_close(out[0, 1:-1], torch.full((30,), 0.5), atol=1e-5, rtol=0)
    torch.testing.assert_close(out[0, 0].item(), 0.25, atol=1e-5, rtol=0)


def test_region_affinity_is_the_authors_with_patches_unfolded() -> None:
    x = (torch.randn(2, 5, 12, 16, dtype=torch.float64) / 2).requires_grad_()
    small = F.interpolate(x, size=(6, 8), mode="bilinear", align_corners=True)
    patches = F.unfold(small, 3, padding=1)
    scores = patches.mT @ F.normalize(patches, dim=1, eps=1e-4)
    weights = torch.softmax(10 * scores, dim=2).clamp(min=1e-8)
    mixed = F.unfold(x, 4, padding=1, stride=2) @ weights.mT
    expected = F.fold(mixed, (12, 16), 4, padding=1, stride=2) / 4
    output = RegionAffinity()(x)
    for result, slow in (
        (output, expected),
        (torch.autograd.grad(y.square().sum(), x)[0] for y in (output, expected)),
    ):
        torch.testing.assert_close(result, slow, rtol=1e-12, atol=1e-12)
    assert (weights == 1e-8).any()  # some weights are at their floor


def test_aggregation_weights_are_a_mixture_at_each_pixel() -> None:
    torch.manual_seed(0)
    aggregation = MultiScaleAggregation(channels=4)
    x = torch.randn(2, 4, 8, 8)
    torch.testing.assert_close(aggregation.mixture(x).sum(dim=1), torch.ones(2, 8, 8))
    assert aggregation(x).shape == x.shape


def test_tail_returns_an_image() -> None:
    torch.manual_seed(0)
    image = FusionTail(channels=4)(torch.randn(1, 8, 16, 16) * 10)
    assert image.shape == (1, 3, 16, 16) and image.abs().max() <= 1


def test_grey_and_edges_are_scikit_images() -> None:
    picture = _picture()
    picture[:, 0] *= 0.5
    array = ((picture[0] + 1) / 2).permute(1, 2, 0).double().numpy()
    torch.testing.assert_close(
        to_grey(picture)[0, 0].double(), torch.from_numpy(rgb2gray(array)), atol=1e-6, rtol=0
    )
    result = detect_edges(to_grey(picture), sigma=1.0)
    assert result.any()
    expected = canny(to_grey(picture)[0, 0].numpy(), sigma=1.0)
    assert torch.equal(result[0, 0].bool(), torch.from_numpy(expected))


def test_edges_at_completion_do_not_know_the_hole() -> None:
    picture, hole = _picture(), torch.zeros(1, 1, 32, 32)
    hole[..., 8:18, 10:22] = 1
    first = detect_visible_edges(picture * (1 - hole), hole, sigma=1.0)
    second = detect_visible_edges(picture * (1 - hole) + 5 * hole, hole, sigma=1.0)
    assert torch.equal(first, second)
    assert first.any()
    assert not (first * hole).any()


def test_an_image_that_is_all_hole_has_no_edges() -> None:
    hole = torch.ones(1, 1, 32, 32)
    assert not detect_visible_edges(_picture(), hole, sigma=1.0).any()


def test_the_encoder_closes_the_centre_hole_of_a_full_size_image() -> None:
    generator = Generator(levels=7, width=4)
    valid = torch.ones(1, 1, 256, 256)
    valid[..., 64:192, 64:192] = 0
    part = (torch.randn(1, 3, 256, 256), valid)
    with torch.no_grad():
        for block in generator.texture_encoder:
            part = block([part])
    assert torch.equal(part[1], torch.ones(1, 1, 2, 2))


def test_the_branches_have_no_bias_and_the_published_initialisation() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(base=32)
    for branch in (discriminator.texture, discriminator.structure):
        for name, weight in branch.named_parameters():
            assert "bias" not in name
            if weight.numel() > 10_000:
                assert weight.std().item() == pytest.approx(0.02, rel=0.05)
