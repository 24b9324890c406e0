"""MREM, the mask-region enhanced module: feature fusion and masked correlation mining (MCM).

MDRNets, section on the MREM. The softmax, its scale and the identity as third branch are our
choices; see the assumption ledger.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from mdrnets.methods.mdrnets.pooling import scatter_to_map
from mdrnets.networks.composite import composite
from mdrnets.networks.precision import full_precision, without_autocast


def fuse(*, valid_rows: Tensor, hole_rows: Tensor, regions: Tensor, hole: Tensor) -> Tensor:
    """F = F_V ⊙ (1 − K) + F_Q ⊙ K: visible features outside the hole, memory features inside.

    Args:
        valid_rows: V, B×K×C.
        hole_rows: Q̂, B×K×C.
        regions: one-hot class maps, B×K×h×w.
        hole: B×1×h×w.

    Returns:
        B×C×h×w.
    """
    return composite(scatter_to_map(valid_rows, regions), scatter_to_map(hole_rows, regions), hole)


class MaskedCorrelationMining(nn.Module):
    """F + K ⊙ fold(R ψ(F)), with R = softmax(θ(F) φ(F)ᵀ / √d) over patches of d = C·p² numbers.

    ψ is the identity. Values outside the hole are returned unchanged, bit for bit.
    """

    def __init__(self, *, channels: int, patch_size: int) -> None:
        """Args: patch_size: p, which divides the height and width of the features."""
        super().__init__()
        self.patch_size = patch_size
        self.theta = nn.Conv2d(channels, channels, 1)
        self.phi = nn.Conv2d(channels, channels, 1)

    def forward(self, fused: Tensor, hole: Tensor) -> Tensor:
        """Args: fused B×C×h×w; hole B×1×h×w. Returns B×C×h×w."""
        values = unfold(fused, self.patch_size)  # B×N×d
        mined = fold(self.relation(fused) @ values, self.patch_size, height=fused.shape[2])
        return fused + hole * mined

    def relation(self, fused: Tensor) -> Tensor:
        """Return R, B×N×N: the weight of each patch (column) for each patch (row)."""
        queries = unfold(self.theta(fused), self.patch_size)  # B×N×d
        keys = unfold(self.phi(fused), self.patch_size)
        with without_autocast(fused):
            scores = full_precision(queries) @ full_precision(keys).mT
            return F.softmax(scores / queries.shape[-1] ** 0.5, dim=-1)


def unfold(maps: Tensor, patch_size: int) -> Tensor:
    """B×C×h×w → N non-overlapping patches in row-major order, flattened: B×N×C·p²."""
    patches = maps.unflatten(3, (-1, patch_size)).unflatten(2, (-1, patch_size))
    # B×C×h/p×p×w/p×p → B×h/p×w/p×C×p×p
    rows: Tensor = patches.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)
    return rows


def fold(patches: Tensor, patch_size: int, *, height: int) -> Tensor:
    """The inverse of `unfold`: B×N×C·p² → B×C×height×w."""
    grid = patches.unflatten(2, (-1, patch_size, patch_size))
    grid = grid.unflatten(1, (height // patch_size, -1))  # B×h/p×w/p×C×p×p
    maps: Tensor = grid.permute(0, 3, 1, 4, 2, 5).flatten(4).flatten(2, 3)
    return maps
