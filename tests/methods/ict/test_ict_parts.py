import math

import numpy as np
import pytest
import torch
from torch import nn

from mdrnets.methods.ict.palette import dequantise, fit_palette, quantise, reduce_to_grid
from mdrnets.methods.ict.transformer import (
    AppearanceTransformer,
    masked_cross_entropy,
    sample_masked,
)
from mdrnets.methods.ict.upsampler import GuidedUpsampler

SMALL = {"cells": 16, "colours": 12, "width": 8, "heads": 2, "blocks": 2}


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _images(n: int = 6, size: int = 16) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, size, size, 3), dtype=np.uint8)


@pytest.fixture
def transformer() -> AppearanceTransformer:
    torch.manual_seed(0)
    return AppearanceTransformer(**SMALL)


# -- palette -----------------------------------------------------------------------------------


def test_palette_is_distinct_whole_and_deterministic() -> None:
    palette = fit_palette(_images(), grid=8, colours=20, seed=1)
    assert palette.shape == (20, 3)
    assert len(np.unique(palette, axis=0)) == 20
    assert np.array_equal(palette, np.rint(palette))
    assert palette.min() >= 0 and palette.max() <= 255
    assert np.array_equal(palette, fit_palette(_images(), grid=8, colours=20, seed=1))


def test_palette_follows_the_images() -> None:
    images = np.zeros((4, 8, 8, 3), dtype=np.uint8)
    images[2:] = (200, 100, 50)
    palette = fit_palette(images, grid=4, colours=2, seed=0)
    assert np.array_equal(palette, [[0, 0, 0], [200, 100, 50]])


def test_too_few_colours_are_refused() -> None:
    with pytest.raises(ValueError, match=r"1 .* 5"):
        fit_palette(np.zeros((2, 8, 8, 3), dtype=np.uint8), grid=4, colours=5, seed=0)


def test_every_palette_colour_is_its_own_token() -> None:
    palette = torch.from_numpy(fit_palette(_images(), grid=8, colours=16, seed=1))
    tokens = torch.arange(16)[None]
    assert torch.equal(quantise(dequantise(tokens, palette, 4), palette), tokens)


def test_quantising_is_idempotent_and_selects_the_nearest() -> None:
    torch.manual_seed(0)
    palette = torch.from_numpy(fit_palette(_images(), grid=8, colours=16, seed=1))
    image = torch.rand(2, 3, 4, 4) * 255
    tokens = quantise(image, palette)
    assert torch.equal(quantise(dequantise(tokens, palette, 4), palette), tokens)
    pixels = image.flatten(2).mT.unsqueeze(2)  # B×N×1×3
    assert torch.equal(tokens, (pixels - palette).square().sum(dim=3).argmin(dim=2))


def test_centres_that_rounding_makes_equal_are_replaced() -> None:
    # Of 256 cells half have 100, half 100.25, which draw two centres; one has 200, one 201.
    images = np.full((4, 16, 16, 3), 100, dtype=np.uint8)
    images[2:, ::2, ::2] = 101
    images[0, :2, :2], images[1, :2, :2] = 200, 201
    palette = fit_palette(images, grid=8, colours=3, seed=0)
    assert palette[:, 0].tolist() == [100, 200, 201]


def test_a_cell_with_one_missing_pixel_is_masked_and_the_hole_does_not_leak() -> None:
    image = torch.rand(1, 3, 8, 8) * 2 - 1
    hole = torch.zeros(1, 1, 8, 8)
    hole[..., 3, 5] = 1
    colour, masked = reduce_to_grid(image, hole, 4)
    assert masked.view(4, 4).nonzero().tolist() == [[1, 2]]
    other, _ = reduce_to_grid(image + 100 * hole, hole, 4)
    assert torch.equal(colour, other)
    torch.testing.assert_close(
        colour[0, :, 0, 0], (image[0, :, :2, :2].mean(dim=(1, 2)) + 1) * 127.5
    )


# -- transformer -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "colours", "width", "heads", "blocks", "expected"),
    [
        (48**2, 512, 512, 8, 30, 96_276_480),
        (32**2, 512, 512, 8, 35, 111_383_040),
        (32**2, 512, 256, 8, 14, 11_581_440),
        (16**2, 256, 192, 6, 8, 3_706_752),
    ],
)
def test_transformer_parameters(
    cells: int, colours: int, width: int, heads: int, blocks: int, expected: int
) -> None:
    with torch.device("meta"):
        network = AppearanceTransformer(
            cells=cells, colours=colours, width=width, heads=heads, blocks=blocks
        )
    assert _count(network) == expected
    assert network.head.bias is None


def test_masked_tokens_do_not_matter_and_attention_is_not_causal(
    transformer: AppearanceTransformer,
) -> None:
    tokens = torch.randint(12, (2, 16))
    masked = torch.rand(2, 16) < 0.5
    masked[:, 0], masked[:, -1] = True, False
    logits = transformer(tokens, masked)
    assert torch.equal(logits, transformer(torch.where(masked, 3, tokens), masked))
    changed = tokens.clone()
    changed[:, -1] = (changed[:, -1] + 1) % 12
    assert not torch.equal(logits[:, 0], transformer(changed, masked)[:, 0])


def test_without_positions_the_order_of_cells_does_not_matter(
    transformer: AppearanceTransformer,
) -> None:
    tokens, order = torch.randint(12, (1, 16)), torch.randperm(16)
    visible = torch.zeros(1, 16, dtype=torch.bool)
    torch.testing.assert_close(
        transformer(tokens[:, order], visible), transformer(tokens, visible)[:, order]
    )
    masked = visible.clone()
    masked[:, [2, 9]] = True
    logits = transformer(tokens, masked)
    torch.testing.assert_close(logits[:, 2], logits[:, 9])


def test_logits_of_some_cells_are_those_of_the_full_pass(
    transformer: AppearanceTransformer,
) -> None:
    transformer.double()
    tokens, masked = torch.randint(12, (2, 16)), torch.rand(2, 16) < 0.5
    cells = torch.tensor([[0, 7, 15], [3, 2, 11]])
    expected = transformer(tokens, masked)[torch.arange(2)[:, None], cells]
    torch.testing.assert_close(transformer(tokens, masked, cells), expected, rtol=1e-12, atol=1e-12)


def test_the_loss_is_that_of_masked_cells_and_near_uniform_at_first() -> None:
    torch.manual_seed(0)
    transformer = AppearanceTransformer(cells=64, colours=256, width=32, heads=2, blocks=2)
    tokens, masked = torch.randint(256, (3, 64)), torch.rand(3, 64) < 0.4
    logits = transformer(tokens, masked).detach().requires_grad_()
    loss = masked_cross_entropy(logits, tokens, masked)
    assert abs(loss.item() - math.log(256)) < 0.15
    loss.backward()
    assert logits.grad is not None
    assert not logits.grad[~masked].any() and logits.grad[masked].any()


def test_the_loss_without_masked_cells_is_zero(transformer: AppearanceTransformer) -> None:
    tokens = torch.zeros(1, 16, dtype=torch.int64)
    visible = torch.zeros(1, 16, dtype=torch.bool)
    assert masked_cross_entropy(transformer(tokens, visible), tokens, visible).item() == 0


def _sample(
    transformer: AppearanceTransformer,
    tokens: torch.Tensor,
    masked: torch.Tensor,
    *,
    seed: int = 0,
    top_k: int = 5,
    chunk: int = 1,
) -> torch.Tensor:
    return sample_masked(
        transformer,
        tokens,
        masked,
        generator=torch.Generator().manual_seed(seed),
        top_k=top_k,
        temperature=1.0,
        chunk=chunk,
    )


def test_sampling_keeps_known_tokens_and_is_one_pass_a_cell(
    transformer: AppearanceTransformer, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[int] = []
    forward = transformer.forward

    def count_passes(
        tokens: torch.Tensor, masked: torch.Tensor, cells: torch.Tensor
    ) -> torch.Tensor:
        passes.append(len(tokens))
        return forward(tokens, masked, cells)

    monkeypatch.setattr(transformer, "forward", count_passes)
    tokens = torch.randint(12, (2, 16))
    masked = torch.zeros(2, 16, dtype=torch.bool)
    masked[0, [1, 4, 7]] = True
    masked[1, 3] = True
    sampled = _sample(transformer, tokens, masked)
    assert torch.equal(sampled[~masked], tokens[~masked])
    assert sampled.min() >= 0 and sampled.max() < 12
    assert passes == [2, 1, 1]
    passes.clear()
    _sample(transformer, tokens, masked, chunk=2)
    assert passes == [2, 1]


def test_samples_are_among_the_likeliest_and_follow_the_seed(
    transformer: AppearanceTransformer,
) -> None:
    for parameter in transformer.parameters():
        nn.init.normal_(parameter, 0, 0.5)
    tokens, masked = torch.randint(12, (4, 16)), torch.rand(4, 16) < 0.6
    greedy = _sample(transformer, tokens, masked, top_k=1)
    assert torch.equal(greedy, _sample(transformer, tokens, masked, top_k=1, seed=9))
    first = _sample(transformer, tokens, masked)
    assert torch.equal(first, _sample(transformer, tokens, masked))
    assert not torch.equal(first, _sample(transformer, tokens, masked, seed=9))

    (last,) = masked[0].nonzero()[-1:].tolist()[0]
    before = masked[:1].clone()
    before[:] = False
    before[0, last] = True
    best = transformer(first[:1], before)[0, last].topk(5).indices
    assert first[0, last] in best


def test_greedy_samples_do_not_depend_on_the_batch(
    transformer: AppearanceTransformer,
) -> None:
    tokens, masked = torch.randint(12, (3, 16)), torch.rand(3, 16) < 0.5
    together = _sample(transformer, tokens, masked, top_k=1)
    alone = torch.cat(
        [_sample(transformer, tokens[i : i + 1], masked[i : i + 1], top_k=1) for i in range(3)]
    )
    assert torch.equal(together, alone)


# -- upsampler ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "blocks", "expected"),
    [(64, 8, 10_780_867), (48, 6, 4_742_547), (32, 8, 2_703_459), (32, 4, 1_522_787)],
)
def test_upsampler_parameters(base: int, blocks: int, expected: int) -> None:
    with torch.device("meta"):
        assert _count(GuidedUpsampler(base=base, blocks=blocks)) == expected


def test_full_size_forward() -> None:
    torch.manual_seed(0)
    hole = torch.zeros(1, 1, 256, 256)
    hole[..., 100:180, 80:160] = 1
    with torch.no_grad():
        out = GuidedUpsampler(base=64, blocks=8)(
            torch.rand(1, 3, 256, 256), hole, torch.rand(1, 3, 256, 256)
        )
        logits = AppearanceTransformer(cells=48**2, colours=512, width=512, heads=8, blocks=30)(
            torch.zeros(1, 48**2, dtype=torch.int64), torch.ones(1, 48**2, dtype=torch.bool)
        )
    assert out.shape == (1, 3, 256, 256)
    assert out.min() >= 0 and out.max() <= 1
    assert logits.shape == (1, 2304, 512) and logits.isfinite().all()


def test_the_upsampler_sees_white_in_the_hole() -> None:
    torch.manual_seed(0)
    network = GuidedUpsampler(base=4, blocks=1)
    image, prior = torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16)
    hole = torch.zeros(1, 1, 16, 16)
    hole[..., 4:9, 4:9] = 1
    out = network(image, hole, prior)
    assert torch.equal(out, network(image + 7 * hole, hole, prior))
    white = network(image * (1 - hole) + hole, torch.zeros_like(hole), prior)
    torch.testing.assert_close(out, white)
    assert not torch.equal(out, network(image, hole, prior * 0.5))
