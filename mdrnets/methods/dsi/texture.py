"""DSI's texture generator: gated convolutions, guided by similarities of the structure codes.

Peng et al. 2021, section 3.3. Strided convolutions are padded symmetrically, as in all methods
here (the authors' framework pads below and to the right).
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mdrnets.methods.dsi.vqvae import standardise
from mdrnets.networks.contextual_attention import fuse
from mdrnets.networks.gated_conv import GatedConv2d

SOFTMAX_SCALE = 50.0


def structural_attention(structure: Tensor) -> Tensor:
    """Compute attention weights between positions of the structure, from their 3×3 patches.

    There are no learned parameters, and holes are not masked. Args: structure B×D×h×w.
    Returns B×N×N, N = h·w; rows sum to 1.
    """
    grid = (structure.shape[2], structure.shape[3])
    patches = F.unfold(structure.float(), 3, padding=1).mT  # B×N×9D
    distance = torch.cdist(patches, patches).square()
    similarity = -torch.tanh(standardise(distance))
    return torch.softmax(SOFTMAX_SCALE * fuse(similarity, grid), dim=2)


def rearrange_patches(weights: Tensor, features: Tensor) -> Tensor:
    """Replace each of N non-overlapping square patches by a weighted sum of all of them.

    Args: weights B×N×N, N = h·w; features B×C×H×W, H and W multiples of h and w. Returns B×C×H×W.
    """
    size = round((features.shape[2] * features.shape[3] / weights.shape[1]) ** 0.5)
    patches = F.unfold(features, size, stride=size)  # B×(C·size²)×N
    mixed = patches @ weights.mT.to(patches.dtype)
    return F.fold(mixed, features.shape[2:], size, stride=size)


class TextureGenerator(nn.Module):
    """Masked image and structure vectors → the complete image."""

    def __init__(self, *, width: int, structure_channels: int, dilations: Sequence[int]) -> None:
        """Args: width: channels after the first layer; dilations: at H/4."""
        super().__init__()
        n = width
        self.early = nn.Sequential(
            GatedConv2d(5, n, kernel_size=5),
            GatedConv2d(n, 2 * n, stride=2),
            GatedConv2d(2 * n, 2 * n),
        )
        self.down = GatedConv2d(2 * n, 4 * n, stride=2)
        self.structure = nn.Sequential(
            GatedConv2d(structure_channels, 4 * n),
            GatedConv2d(4 * n, 4 * n),
            nn.UpsamplingNearest2d(scale_factor=2),
            GatedConv2d(4 * n, 4 * n),
        )
        self.middle = nn.Sequential(
            GatedConv2d(8 * n, 4 * n),
            GatedConv2d(4 * n, 4 * n),
            *(GatedConv2d(4 * n, 4 * n, dilation=dilation) for dilation in dilations),
        )
        self.after_middle = nn.Sequential(GatedConv2d(4 * n, 4 * n), GatedConv2d(4 * n, 4 * n))
        self.to_half = nn.Sequential(
            GatedConv2d(8 * n, 4 * n),
            nn.UpsamplingNearest2d(scale_factor=2),
            GatedConv2d(4 * n, 2 * n),
        )
        self.to_full = nn.Sequential(
            GatedConv2d(4 * n, 2 * n),
            nn.UpsamplingNearest2d(scale_factor=2),
            GatedConv2d(2 * n, n),
            GatedConv2d(n, n),
            nn.Conv2d(n, 3, 3, padding=1),
            nn.Tanh(),
        )

    def forward(self, masked: Tensor, hole: Tensor, structure: Tensor) -> Tensor:
        """Args:
            masked: B×3×H×W in [-1, 1], values in the hole are ignored; H and W multiples of 8.
            hole: B×1×H×W, 1 = missing.
            structure: B×D×H/8×W/8, the top codes' vectors.

        Returns:
            B×3×H×W in [-1, 1].
        """
        visible = torch.cat([masked * (1 - hole), torch.ones_like(hole), hole], dim=1)
        early = self.early(visible)  # B×2n×H/2×W/2
        middle = self.middle(
            torch.cat([self.down(early), self.structure(structure)], dim=1)
        )  # B×4n×H/4×W/4

        weights = structural_attention(structure)
        x = torch.cat([self.after_middle(middle), rearrange_patches(weights, middle)], dim=1)
        x = torch.cat([self.to_half(x), rearrange_patches(weights, early)], dim=1)
        image: Tensor = self.to_full(x)
        return image
