from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from mdrnets.networks.contextual_attention import (
    ContextualAttention,
    find_valid_patches,
    fuse,
    masked_softmax,
    paste,
    patch_scores,
)

NO_HOLE = torch.zeros(1, 1, 16, 16)


def _features(*, batch: int = 1, channels: int = 5, size: int = 16, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, channels, size, size, generator=generator)


def _ring(size: int) -> Tensor:
    """Overlap-add of a constant 1: half at the border, a quarter in the corners."""
    line = torch.ones(size)
    line[0] = line[-1] = 0.5
    return line[:, None] * line[None, :]


def _by_loops(foreground: Tensor, background: Tensor, hole: Tensor) -> Tensor:
    """The authors' steps for one sample with indices and loops; `hole` is on the small grid."""
    small_f, small_b = foreground[..., ::2, ::2], background[..., ::2, ::2]
    _, _, h, w = small_f.shape
    places = [(row, column) for row in range(h) for column in range(w)]

    def window(x: Tensor, row: int, column: int, *, size: int, step: int) -> Tensor:
        return F.pad(x, (1, 1, 1, 1))[
            0, :, step * row : step * row + size, step * column : step * column + size
        ]

    scores = torch.zeros(h * w, h * w)
    valid = torch.zeros(h * w)
    for j, place in enumerate(places):
        key = window(small_b, *place, size=3, step=1)
        key = key / max(key.square().sum().sqrt().item(), 1e-4)
        valid[j] = float(window(hole, *place, size=3, step=1).sum() == 0)
        for i, other in enumerate(places):
            scores[i, j] = (window(small_f, *other, size=3, step=1) * key).sum()

    def fuse_numbered(numbering: list[int]) -> Tensor:
        """D(S), with patches numbered in the given order."""
        result = torch.zeros_like(scores)
        for a, i in enumerate(numbering):
            for b, j in enumerate(numbering):
                for shift in (-1, 0, 1):
                    if 0 <= a + shift < h * w and 0 <= b + shift < h * w:
                        result[i, j] += scores[numbering[a + shift], numbering[b + shift]]
        return result

    scores = fuse_numbered(list(range(h * w)))
    scores = fuse_numbered([row * w + column for column in range(w) for row in range(h)])
    weights = torch.softmax(10 * scores * valid, dim=1) * valid

    output = torch.zeros(foreground.shape[1], 2 * h + 2, 2 * w + 2)
    for i, (row, column) in enumerate(places):
        mixed = torch.zeros(foreground.shape[1], 4, 4)
        for j, place in enumerate(places):
            mixed += weights[i, j] * window(background, *place, size=4, step=2)
        output[:, 2 * row : 2 * row + 4, 2 * column : 2 * column + 4] += mixed
    return output[None, :, 1:-1, 1:-1] / 4


def test_it_does_what_the_authors_loops_do() -> None:
    foreground, background = _features(seed=1)[..., :8, :12], _features(seed=2)[..., :8, :12]
    hole = torch.zeros(1, 1, 4, 6)
    hole[..., 1:3, 2:4] = 1
    full = F.interpolate(hole, scale_factor=8)
    # Scores of random patches are large: without a smaller scale the softmax copies one patch.
    foreground, background = foreground / 20, background / 20
    output = ContextualAttention()(foreground, background, full)
    torch.testing.assert_close(output, _by_loops(foreground, background, hole))


def _scores_by_unfolding(query: Tensor, key: Tensor) -> Tensor:
    queries, keys = (F.unfold(features, 3, padding=1) for features in (query, key))
    return queries.mT @ F.normalize(keys, dim=1, eps=1e-4)


def _paste_by_folding(weights: Tensor, source: Tensor) -> Tensor:
    patches = F.unfold(source, 4, padding=1, stride=2)
    return F.fold(patches @ weights.mT, source.shape[2:], 4, padding=1, stride=2) / 4


def test_sums_along_diagonals_equal_products_of_patches() -> None:
    inputs = [
        features.double()[..., :8, :12].requires_grad_()
        for features in (_features(batch=2, seed=1), _features(batch=2, seed=2))
    ]

    def attend(
        score: Callable[[Tensor, Tensor], Tensor], add: Callable[[Tensor, Tensor], Tensor]
    ) -> tuple[Tensor, ...]:
        query, source = inputs
        weights = torch.softmax(score(query[..., ::2, ::2] / 3, source[..., ::2, ::2]), dim=2)
        output = add(weights, source)
        return output, *torch.autograd.grad(output.square().sum(), inputs)

    fast, slow = attend(patch_scores, paste), attend(_scores_by_unfolding, _paste_by_folding)
    torch.testing.assert_close(fast, slow, rtol=1e-12, atol=1e-12)


def test_a_patch_resembles_itself_most() -> None:
    features = _features()
    small = features[..., ::2, ::2]
    weights = masked_softmax(patch_scores(small, small), torch.ones(1, 1, 64), scale=10.0)
    assert torch.equal(weights.argmax(dim=2), torch.arange(64)[None])
    torch.testing.assert_close(weights.sum(dim=2), torch.ones(1, 64))


def test_a_hard_softmax_copies_the_image_but_for_its_ring() -> None:
    features = _features()
    small = features[..., ::2, ::2]
    weights = masked_softmax(patch_scores(small, small), torch.ones(1, 1, 64), scale=1e4)
    torch.testing.assert_close(paste(weights, features), features * _ring(16))


def test_constant_features_stay_constant_but_for_the_ring() -> None:
    features = torch.full((1, 3, 16, 16), 0.7)
    output = ContextualAttention()(features, features, NO_HOLE)
    torch.testing.assert_close(output, features * _ring(16))


def test_only_the_background_is_normalised() -> None:
    query, key = _features(seed=1), _features(seed=2)
    scores = patch_scores(query, key)
    torch.testing.assert_close(patch_scores(query, 3 * key), scores)
    torch.testing.assert_close(patch_scores(3 * query, key), 3 * scores)


def test_there_are_1024_patches_at_the_published_size() -> None:
    features = _features(channels=1, size=64)[..., ::2, ::2]
    assert patch_scores(features, features).shape == (1, 1024, 1024)


def test_an_image_that_is_all_hole_gives_zeros() -> None:
    features = _features()
    assert not ContextualAttention()(features, features, torch.ones(1, 1, 64, 64)).any()


def test_a_patch_that_touches_the_hole_is_invalid() -> None:
    hole = torch.zeros(1, 1, 32, 32)
    hole[..., 10:16, 3:9] = 1
    valid = find_valid_patches(hole)
    assert int((valid == 0).sum()) == 8 * 8
    weights = masked_softmax(torch.randn(1, 1024, 1024), valid, scale=10.0)
    assert not weights[..., valid.flatten() == 0].any()


def test_an_invalid_patch_keeps_its_share_of_the_softmax() -> None:
    scores = torch.zeros(1, 1, 4)
    weights = masked_softmax(scores, torch.tensor([[[1.0, 1.0, 0.0, 1.0]]]), scale=10.0)
    assert weights.flatten().tolist() == [0.25, 0.25, 0.0, 0.25]


def test_background_features_in_the_hole_are_never_pasted() -> None:
    query, background = _features(seed=1)[..., ::2, ::2], _features(seed=2)
    hole = torch.zeros(1, 1, 8, 8)
    hole[..., 2:6, 2:6] = 1  # positions 4 to 11 of the full grid; patches 1 to 6 are invalid

    def output(background: Tensor) -> Tensor:
        # Without `fuse`, which lets scores of invalid patches count for their neighbours.
        scores = patch_scores(query, background[..., ::2, ::2])
        return paste(masked_softmax(scores, find_valid_patches(hole), scale=10.0), background)

    altered = background.clone()
    altered[..., 4:12, 4:12] = 50.0
    assert torch.equal(output(altered), output(background))
    altered[..., 2, 4:12] = 50.0  # patches at the border, which are valid, reach this row
    assert not torch.equal(output(altered), output(background))


def test_every_sample_has_its_own_hole() -> None:
    features = _features(batch=2)
    holes = torch.zeros(2, 1, 64, 64)
    holes[0, :, 8:40, 8:24] = 1
    holes[1, :, 32:56, 24:56] = 1
    attention = ContextualAttention()
    both = attention(features, features, holes)
    for sample, (x, hole) in enumerate(zip(features.split(1), holes.split(1), strict=True)):
        torch.testing.assert_close(both[sample : sample + 1], attention(x, x, hole))


def test_fusing_favours_a_patch_whose_neighbours_match_likewise() -> None:
    scores = torch.zeros(1, 16, 16)
    scores[0, 5, 10] = 1.0  # patch (1, 1) of a 4×4 grid with patch (2, 2)
    linked = fuse(scores, (4, 4))[0]
    # One to the left and right, then also above and below, of both.
    around = {(5 + d, 10 + d): 1.0 for d in (-5, -4, -3, -1, 0, 1, 3, 4, 5)}
    assert {(int(i), int(j)): linked[i, j].item() for i, j in linked.nonzero()} == around


def test_patches_of_zeros_have_finite_gradients() -> None:
    features = torch.zeros(1, 3, 8, 8, requires_grad=True)
    ContextualAttention()(features, features, NO_HOLE).square().sum().backward()
    assert features.grad is not None and torch.isfinite(features.grad).all()


def test_gradients_agree_with_differences() -> None:
    foreground = _features(channels=2, size=6, seed=1).double().requires_grad_()
    background = _features(channels=2, size=6, seed=2).double().requires_grad_()
    hole = torch.zeros(1, 1, 6, 6, dtype=torch.float64)
    hole[..., 0, 0] = 1
    attention = ContextualAttention(softmax_scale=0.5)
    assert torch.autograd.gradcheck(
        lambda f, b: attention(f, b, hole), (foreground, background), atol=1e-4
    )


def test_scores_keep_full_precision_under_autocast() -> None:
    features = _features()
    plain = patch_scores(features, features)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(patch_scores(features, features), plain)
        assert patch_scores(features.bfloat16(), features.bfloat16()).dtype == torch.float32


@pytest.mark.parametrize("scale", [1, 4])
def test_the_hole_may_be_on_any_multiple_of_the_grid(scale: int) -> None:
    features = _features()
    hole = torch.zeros(1, 1, 8, 8)
    hole[..., 2:5, 3:6] = 1
    attention = ContextualAttention()
    finer = hole.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    assert torch.equal(attention(features, features, finer), attention(features, features, hole))
