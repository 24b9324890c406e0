"""Contextual attention: fill the features of a hole with patches of features outside it.

Yu et al., "Generative Image Inpainting with Contextual Attention" (CVPR 2018,
https://arxiv.org/abs/1801.07892), section 4.1, as in the authors' code of DeepFillv2 (ICCV 2019).

There are two grids. Features are H×W; matching uses every second position, so there are
N = H/2 · W/2 patches in row-major order. A matching patch is 3×3 on the small grid; it is replaced
by the 4×4 window of the full grid at the same place.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mdrnets.networks.diagonals import sum_covering, sum_neighbours
from mdrnets.networks.precision import full_precision, without_autocast

RATE = 2  # full grid to matching grid
MATCH_SIZE = 3
PASTE_SIZE = 2 * RATE  # so that four pasted patches overlap at each position
NORM_FLOOR = 1e-4


class ContextualAttention(nn.Module):
    """Replace each position by a weighted mean of background patches with similar surroundings.

    Valid foreground positions are matched too, mostly with themselves. No learned parameters.
    """

    def __init__(self, *, softmax_scale: float = 10.0) -> None:
        """Args: softmax_scale: factor of the scores; large values approach copying one patch."""
        super().__init__()
        self.softmax_scale = softmax_scale

    def forward(self, foreground: Tensor, background: Tensor, hole: Tensor) -> Tensor:
        """Args: foreground, background B×C×H×W, H and W even; hole B×1×sH×sW for an integer s.

        Returns B×C×H×W. The outermost ring of positions is halved (a quarter in the corners),
        because fewer patches overlap there, as in the authors' code.
        """
        query, key = foreground[..., ::RATE, ::RATE], background[..., ::RATE, ::RATE]
        grid = (key.shape[2], key.shape[3])

        scores = fuse(patch_scores(query, key), grid)
        valid = find_valid_patches(F.interpolate(hole, size=grid))
        weights = masked_softmax(scores, valid, scale=self.softmax_scale)

        return paste(weights, background)


def patch_scores(query: Tensor, key: Tensor) -> Tensor:
    """Inner products of 3×3 query patches with 3×3 key patches; key patches have unit length.

    The inner product of two patches is the sum of nine inner products of positions. So positions
    are multiplied once, C deep, and the products are summed along diagonals.

    Args: query, key B×C×h×w, on the matching grid. Returns B×N×N, query patches by key patches, in
    float32 or higher precision.
    """
    # The softmax scale multiplies the rounding error of a score by ten.
    with without_autocast(query):
        query, key = full_precision(query), full_precision(key)
        h, w = key.shape[2:]
        products = (query.flatten(2).mT @ key.flatten(2)).view(-1, h, w, h, w)
        scores = sum_neighbours(sum_neighbours(products, (1, 3)), (2, 4))
        squares = key.square().sum(dim=1, keepdim=True)  # B×1×h×w
        squares = F.avg_pool2d(
            squares, MATCH_SIZE, stride=1, padding=MATCH_SIZE // 2, divisor_override=1
        )
        inverse_lengths = squares.clamp(min=NORM_FLOOR**2).rsqrt().flatten(2)  # B×1×N
        return scores.view(-1, h * w, h * w) * inverse_lengths


def fuse(scores: Tensor, grid: tuple[int, int]) -> Tensor:
    """Raise the score of a match if neighbouring patches match in the same way.

    Adds to each score the scores of pairs shifted by one patch, first along rows, then columns.
    As in the authors' code, the numbering wraps at the end of a row (column), and pairs whose
    background patch touches the hole are included.

    Args: scores B×N×N; grid (h, w) with h·w = N. Returns B×N×N.
    """
    h, w = grid
    by_row = sum_neighbours(scores, (1, 2)).view(-1, h, w, h, w)
    by_column = by_row.permute(0, 2, 1, 4, 3).reshape(scores.shape)
    by_column = sum_neighbours(by_column, (1, 2)).view(-1, w, h, w, h)
    return by_column.permute(0, 2, 1, 4, 3).reshape(scores.shape)


def find_valid_patches(hole: Tensor) -> Tensor:
    """Args: hole B×1×h×w, on the matching grid. Returns B×1×N: 1 = the 3×3 patch has no hole."""
    touched = F.max_pool2d(hole, MATCH_SIZE, stride=1, padding=MATCH_SIZE // 2)
    return 1 - touched.flatten(2)


def masked_softmax(scores: Tensor, valid: Tensor, *, scale: float) -> Tensor:
    """Softmax over key patches; invalid patches get weight 0 but stay in the denominator.

    As in the authors' code, the logit of an invalid patch is 0 and not −∞, so that rows sum to at
    most one.

    Args: scores B×N×N; valid B×1×N of zeros and ones. Returns B×N×N.
    """
    return torch.softmax(scale * scores * valid, dim=2) * valid


def paste(weights: Tensor, source: Tensor) -> Tensor:
    """Overlap-add the weighted means of the source's 4×4 patches.

    A 4×4 patch covers 2×2 cells of 2×2 pixels, and neighbouring patches share cells. So the weights
    with which one cell is added to another are summed first, and cells are multiplied once.

    Args: weights B×N×N, target patches by source patches; source B×C×H×W. Returns B×C×H×W.
    """
    h, w = source.shape[2] // RATE, source.shape[3] // RATE
    weights = weights.view(-1, h, w, h, w)
    weights = sum_covering(sum_covering(weights, (1, 3)), (2, 4))
    weights = weights.flatten(3).flatten(1, 2).to(source.dtype)  # B×(h+1)(w+1)×(h+1)(w+1)

    padding = (PASTE_SIZE - RATE) // 2
    cells = F.pixel_unshuffle(F.pad(source, (padding,) * 4), RATE)  # B×4C×(h+1)×(w+1)
    # In this order, the gradient of the weights has the memory layout of the weights.
    mixed = (weights @ cells.flatten(2).mT).mT.reshape(cells.shape)
    pasted = F.pad(F.pixel_shuffle(mixed, RATE), (-padding,) * 4)
    return pasted / (PASTE_SIZE // RATE) ** 2
