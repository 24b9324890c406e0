"""Contextual attention: fill a hole's features with patches of features from outside it.

Yu et al., "Generative Image Inpainting with Contextual Attention" (CVPR 2018,
https://arxiv.org/abs/1801.07892), section 4.1, as in the authors' code of DeepFillv2 (ICCV 2019).

Two grids: features are H×W, matching happens on every second position, so that there are
N = H/2 · W/2 patches, numbered row by row. A matching patch is 3×3 of the small grid; what is
pasted for it is the 4×4 window of the full grid that covers the same place.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

RATE = 2  # full grid to matching grid
MATCH_SIZE = 3
PASTE_SIZE = 2 * RATE  # so that four pasted patches overlap at each position
NORM_FLOOR = 1e-4


class ContextualAttention(nn.Module):
    """Each position becomes a mixture of background patches that resemble its surroundings.

    Valid foreground positions are matched too, mostly with themselves. Nothing is learned.
    """

    def __init__(self, *, softmax_scale: float = 10.0) -> None:
        """Args: softmax_scale: of the scores; the larger, the closer to copying one patch."""
        super().__init__()
        self.softmax_scale = softmax_scale

    def forward(self, foreground: Tensor, background: Tensor, hole: Tensor) -> Tensor:
        """Args: foreground, background B×C×H×W, H and W even; hole B×1×sH×sW for an integer s.

        Returns B×C×H×W. The outermost ring of positions is halved (a quarter in the corners),
        since fewer patches overlap there; so it is in the authors' code.
        """
        query, key = foreground[..., ::RATE, ::RATE], background[..., ::RATE, ::RATE]
        grid = (key.shape[2], key.shape[3])

        scores = fuse(patch_scores(query, key), grid)
        valid = find_valid_patches(F.interpolate(hole, size=grid))
        weights = masked_softmax(scores, valid, scale=self.softmax_scale)

        return paste(weights, background)


def patch_scores(query: Tensor, key: Tensor) -> Tensor:
    """Inner products of each query patch with each key patch, the latter scaled to length one.

    Args: query, key B×C×h×w, on the matching grid. Returns B×N×N, query patches by key patches.
    """
    # The softmax multiplies a score's rounding error by ten.
    with torch.autocast(query.device.type, enabled=False):
        queries = _matching_patches(query)
        keys = F.normalize(_matching_patches(key), dim=1, eps=NORM_FLOOR)
        return queries.mT @ keys


def _matching_patches(features: Tensor) -> Tensor:
    """B×C×h×w → B×9C×N, at least in float32."""
    features = features.to(torch.promote_types(features.dtype, torch.float32))
    return F.unfold(features, MATCH_SIZE, padding=MATCH_SIZE // 2)


def fuse(scores: Tensor, grid: tuple[int, int]) -> Tensor:
    """Encourage coherent copies: a match counts more if its neighbours match likewise.

    Adds to each score those of the pairs shifted by one patch, first along rows, then columns.
    As in the authors' code, the numbering wraps at the end of a row (column), and pairs count
    whose background patch touches the hole.

    Args: scores B×N×N; grid (h, w) with h·w = N. Returns B×N×N.
    """
    h, w = grid
    by_row = _add_diagonal_neighbours(scores).view(-1, h, w, h, w)
    by_column = by_row.permute(0, 2, 1, 4, 3).reshape(scores.shape)
    by_column = _add_diagonal_neighbours(by_column).view(-1, w, h, w, h)
    return by_column.permute(0, 2, 1, 4, 3).reshape(scores.shape)


def _add_diagonal_neighbours(scores: Tensor) -> Tensor:
    """S[i − 1, j − 1] + S[i, j] + S[i + 1, j + 1], zeros outside."""
    padded = F.pad(scores, (1, 1, 1, 1))
    return padded[:, :-2, :-2] + scores + padded[:, 2:, 2:]


def find_valid_patches(hole: Tensor) -> Tensor:
    """Args: hole B×1×h×w, on the matching grid. Returns B×1×N: 1 = the 3×3 patch has no hole."""
    touched = F.max_pool2d(hole, MATCH_SIZE, stride=1, padding=MATCH_SIZE // 2)
    return 1 - touched.flatten(2)


def masked_softmax(scores: Tensor, valid: Tensor, *, scale: float) -> Tensor:
    """Weights of the key patches, zero for invalid ones, which still take their share.

    The logit of an invalid patch is 0 and not −∞, so that rows sum to at most one; so it is in
    the authors' code.

    Args: scores B×N×N; valid B×1×N of zeros and ones. Returns B×N×N.
    """
    return torch.softmax(scale * scores * valid, dim=2) * valid


def paste(weights: Tensor, source: Tensor) -> Tensor:
    """Overlap-add, at every position, the weighted mean of the source's 4×4 patches.

    Args: weights B×N×N, target patches by source patches; source B×C×H×W. Returns B×C×H×W.
    """
    padding = (PASTE_SIZE - RATE) // 2
    patches = F.unfold(source, PASTE_SIZE, padding=padding, stride=RATE)  # B×16C×N
    mixed = patches @ weights.mT
    pasted = F.fold(mixed, source.shape[2:], PASTE_SIZE, padding=padding, stride=RATE)
    return pasted / (PASTE_SIZE // RATE) ** 2
