import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mdrnets.methods.dsi import sampling
from mdrnets.methods.dsi.blocks import CausalAttention, CausalConv2d, concat_elu, pointwise
from mdrnets.methods.dsi.sampling import sample_codes
from mdrnets.methods.dsi.structure import ConditionNetwork, StructurePixelCNN
from mdrnets.methods.dsi.texture import TextureGenerator, rearrange_patches, structural_attention
from mdrnets.methods.dsi.vqvae import HierarchicalVQVAE, code_loss


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _pixelcnn(**changes: int) -> StructurePixelCNN:
    sizes = {
        "code_channels": 4,
        "codes": 7,
        "condition": 6,
        "channels": 8,
        "blocks": 4,
        "attentions": 2,
    }
    return StructurePixelCNN(**sizes | changes, dropout=0.1)


@pytest.fixture
def pixelcnn() -> StructurePixelCNN:
    torch.manual_seed(0)
    return _pixelcnn().double().eval()


@pytest.mark.parametrize(
    ("vqvae", "condition", "pixelcnn", "texture", "expected"),
    [
        (
            (128, 64, 512),
            (32, (1, 1, 1, 2, 4, 8, 16, 1, 1, 1)),
            (512, 256, 128, 20, 4),
            32,
            (1_852_035, 36_959_392, 26_769_536, 4_602_467),
        ),
        (
            (128, 64, 512),
            (16, (1, 1, 1, 2, 4, 8, 1, 1)),
            (512, 128, 96, 12, 3),
            24,
            (1_852_035, 7_474_256, 8_574_496, 2_618_955),
        ),
        (
            (64, 32, 256),
            (16, (1, 1, 2, 4, 1)),
            (256, 128, 64, 8, 2),
            16,
            (575_907, 4_817_744, 2_747_712, 1_190_707),
        ),
    ],
)
def test_parameter_counts(
    vqvae: tuple[int, ...],
    condition: tuple[int, tuple[int, ...]],
    pixelcnn: tuple[int, ...],
    texture: int,
    expected: tuple[int, ...],
) -> None:
    codes, conditions, channels, blocks, attentions = pixelcnn
    networks = (
        HierarchicalVQVAE(
            width=vqvae[0], hidden=vqvae[1], codes=vqvae[2], channels=64, reseed=1000
        ),
        ConditionNetwork(base=condition[0], rates=condition[1]),
        StructurePixelCNN(
            code_channels=64,
            codes=codes,
            condition=conditions,
            channels=channels,
            blocks=blocks,
            attentions=attentions,
            dropout=0.1,
        ),
        TextureGenerator(width=texture, structure_channels=64, dilations=(2, 4, 8, 16)),
    )
    assert tuple(_count(network) for network in networks) == expected


def test_full_size_forward() -> None:
    torch.manual_seed(0)
    image, hole = torch.rand(1, 3, 256, 256) * 2 - 1, torch.zeros(1, 1, 256, 256)
    hole[..., 64:192, 64:192] = 1
    with torch.no_grad():
        vqvae = HierarchicalVQVAE(width=128, hidden=64, codes=512, channels=64, reseed=1000).eval()
        output, encoded = vqvae(image)
        assert output.shape == image.shape
        assert encoded.top.indices.shape == (1, 32, 32)
        assert encoded.bottom.indices.shape == (1, 64, 64)
        h = ConditionNetwork(base=32, rates=(1, 1, 1, 2, 4, 8, 16, 1, 1, 1))(image, hole)
        assert h.shape == (1, 256, 32, 32)
        logits = _pixelcnn(
            code_channels=64,
            codes=512,
            condition=256,
            channels=128,
            blocks=20,
            attentions=4,
        )(encoded.top.vectors, h)
        assert logits.shape == (1, 512, 32, 32)
        painted = TextureGenerator(width=32, structure_channels=64, dilations=(2, 4, 8, 16))(
            image, hole, encoded.top.vectors
        )
    assert painted.shape == image.shape
    for tensor in (output, h, logits, painted):
        assert tensor.isfinite().all()


# -- structure generator -----------------------------------------------------------------------


def test_weights_have_unit_norm_at_first() -> None:
    layer = pointwise(5, 3)
    torch.testing.assert_close(layer.weight.flatten(1).norm(dim=1), torch.ones(3))
    assert layer.bias is not None and not layer.bias.any()


def test_concat_elu_doubles_the_channels() -> None:
    x = torch.tensor([-1.0, 2.0]).view(1, 1, 1, 2)
    assert torch.equal(concat_elu(x), F.elu(torch.tensor([-1.0, 2.0, 1.0, -2.0]).view(1, 2, 1, 2)))


@pytest.mark.parametrize(("sees", "kernel"), [("down", (2, 3)), ("down_right", (2, 2))])
def test_causal_convolutions_have_the_documented_receptive_field(
    sees: str, kernel: tuple[int, int]
) -> None:
    torch.manual_seed(0)
    conv = CausalConv2d(1, 1, kernel, sees)  # type: ignore[arg-type]
    x = torch.randn(1, 1, 5, 5, requires_grad=True)
    conv(x)[0, 0, 2, 2].backward()
    assert x.grad is not None
    seen = {tuple(place) for place in x.grad[0, 0].nonzero().tolist()}
    columns = (1, 2, 3) if sees == "down" else (1, 2)
    assert seen == {(row, column) for row in (1, 2) for column in columns}


def test_attention_is_strictly_causal_and_the_first_position_is_defined() -> None:
    torch.manual_seed(0)
    attention = CausalAttention(channels=8, heads=8)
    y = torch.randn(1, 8, 2, 3, requires_grad=True)
    out = attention(y)
    assert attention.output.bias is not None
    assert torch.equal(out[0, :, 0, 0], attention.output.bias)
    out[0, :, 1, 0].sum().backward()
    assert y.grad is not None and y.grad.isfinite().all()
    seen = y.grad[0].abs().sum(dim=0) > 0
    # The own position is the query; all others precede it.
    assert seen.tolist() == [[True, True, True], [True, False, False]]


def test_a_code_changes_only_later_logits(pixelcnn: StructurePixelCNN) -> None:
    vectors = torch.randn(1, 4, 4, 5, dtype=torch.float64)
    h = torch.randn(1, 6, 4, 5, dtype=torch.float64)
    logits = pixelcnn(vectors, h)
    changed = vectors.clone()
    changed[0, :, 1, 3] += 1
    moved = (pixelcnn(changed, h) != logits).any(dim=1)[0].flatten()
    assert not moved[: 1 * 5 + 3 + 1].any()
    assert moved[1 * 5 + 3 + 1]


def test_the_first_logits_depend_only_on_the_condition(pixelcnn: StructurePixelCNN) -> None:
    h = torch.randn(1, 6, 3, 3, dtype=torch.float64)
    first, second = (
        pixelcnn(torch.randn(1, 4, 3, 3, dtype=torch.float64), h)[..., 0, 0] for _ in range(2)
    )
    assert torch.equal(first, second)
    other = pixelcnn(torch.randn(1, 4, 3, 3, dtype=torch.float64), h + 1)[..., 0, 0]
    assert not torch.equal(first, other)


def test_sampling_has_the_logits_of_the_full_pass(
    pixelcnn: StructurePixelCNN, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.Tensor] = []
    draw = sampling.draw

    def spy(logits: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        seen.append(logits)
        return draw(logits, generator)

    monkeypatch.setattr(sampling, "draw", spy)
    h = torch.randn(2, 6, 4, 3, dtype=torch.float64)
    codebook = torch.randn(7, 4, dtype=torch.float64)
    codes = sample_codes(pixelcnn, h, codebook, torch.Generator().manual_seed(0))
    stepwise = torch.stack(seen, dim=2).view(2, 7, 4, 3)
    full = pixelcnn(codebook[codes].permute(0, 3, 1, 2), h)
    torch.testing.assert_close(stepwise, full, rtol=0, atol=1e-10)


def test_samples_follow_the_generator(pixelcnn: StructurePixelCNN) -> None:
    h = torch.randn(1, 6, 4, 4, dtype=torch.float64)
    codebook = torch.randn(7, 4, dtype=torch.float64)
    one, again, other = (
        sample_codes(pixelcnn, h, codebook, torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    )
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert one.min() >= 0 and one.max() < 7


# -- texture generator -------------------------------------------------------------------------


def test_structural_attention_is_a_mixture_also_for_constant_structure() -> None:
    torch.manual_seed(0)
    for structure in (torch.randn(2, 4, 4, 4), torch.ones(2, 4, 4, 4)):
        weights = structural_attention(structure)
        torch.testing.assert_close(weights.sum(dim=2), torch.ones(2, 16))


def test_rearranging_keeps_constants_and_moves_patches() -> None:
    torch.manual_seed(0)
    weights = structural_attention(torch.randn(1, 4, 4, 4))
    for size in (8, 16):
        constant = torch.full((1, 3, size, size), 0.7)
        torch.testing.assert_close(rearrange_patches(weights, constant), constant)
    swap = torch.eye(4)[[1, 0, 2, 3]][None]
    features = torch.arange(16.0).view(1, 1, 4, 4)
    moved = rearrange_patches(swap, features)
    assert torch.equal(moved[..., :2, :2], features[..., :2, 2:])
    assert torch.equal(moved[..., 2:, :], features[..., 2:, :])


def test_texture_does_not_know_the_hole() -> None:
    torch.manual_seed(0)
    network = TextureGenerator(width=4, structure_channels=3, dilations=(1, 2))
    masked, structure = torch.randn(1, 3, 16, 16), torch.randn(1, 3, 2, 2)
    hole = torch.zeros(1, 1, 16, 16)
    hole[..., 3:9, 4:11] = 1
    first = network(masked, hole, structure)
    assert torch.equal(first, network(masked + 100 * hole, hole, structure))
    assert not torch.equal(first, network(masked, hole, structure + 1))


def test_the_code_loss_prefers_the_right_code() -> None:
    torch.manual_seed(0)
    codebook = torch.randn(9, 5)
    indices = torch.randint(9, (2, 3, 3))
    right = codebook[indices].permute(0, 3, 1, 2)
    good = code_loss(right, indices, codebook)
    bad = code_loss(torch.randn_like(right), indices, codebook)
    assert 0 <= good < bad
