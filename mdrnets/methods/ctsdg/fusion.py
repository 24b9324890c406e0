"""Fusion of CTSDG's two streams: Bi-GFF, then contextual feature aggregation (CFA).

Guo et al. 2021, sections 3.2 (bi-directional gated feature fusion) and 3.3 (region affinity
learning, multi-scale feature aggregation). Where article and code differ, we follow the code.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mdrnets.networks.contextual_attention import paste, patch_scores

SOFTMAX_SCALE = 10.0
WEIGHT_FLOOR = 1e-8
DILATIONS = (1, 2, 4, 8)
SLOPE = 0.2


class BiGFF(nn.Module):
    """Each stream adds gated features of the other, with learned gains that start at 0."""

    def __init__(self, *, channels: int) -> None:
        super().__init__()
        self.structure_gate = _gate(channels)
        self.texture_gate = _gate(channels)
        self.alpha = nn.Parameter(torch.zeros(1))
        self.beta = nn.Parameter(torch.zeros(1))

    def forward(self, texture: Tensor, structure: Tensor) -> Tensor:
        """Args: texture, structure B×C×H×W. Returns B×2C×H×W."""
        both = torch.cat([texture, structure], dim=1)
        structure_gate, texture_gate = self._gates(both).chunk(2, dim=1)
        texture = texture + self.alpha * structure_gate * structure
        structure = structure + self.beta * texture_gate * texture  # the updated texture
        return torch.cat([texture, structure], dim=1)

    def _gates(self, both: Tensor) -> Tensor:
        """Both gates as one convolution: B×2C×H×W → B×2C×H×W, the structure gate first."""
        convolutions = self.structure_gate[0], self.texture_gate[0]
        weight, bias = (
            torch.cat([getattr(conv, name) for conv in convolutions]) for name in ("weight", "bias")
        )
        return torch.sigmoid(F.conv2d(both, weight, bias, padding=1))


class RegionAffinity(nn.Module):
    """Replace every patch by a weighted mean of similar patches; no learned parameters.

    Holes are not masked out and a patch may match itself. The outermost ring is halved, because
    fewer patches overlap there. Both are as in the authors' code.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Args: x B×C×H×W, H and W even. Returns the same shape."""
        size = (x.shape[2] // 2, x.shape[3] // 2)
        small = F.interpolate(x, size=size, mode="bilinear", align_corners=True)
        scores = patch_scores(SOFTMAX_SCALE * small, small)  # B×N×N, N = H·W/4
        weights = torch.softmax(scores, dim=2)
        return paste(F.threshold(weights, WEIGHT_FLOOR, WEIGHT_FLOOR), x)


class MultiScaleAggregation(nn.Module):
    """Convolutions with four dilations, combined with per-pixel weights."""

    def __init__(self, *, channels: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, channels, 3, padding=d, dilation=d), nn.ReLU())
            for d in DILATIONS
        )
        self.mixture = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, len(DILATIONS), 1),
            nn.ReLU(),
            nn.Softmax(dim=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Args: x B×C×H×W. Returns the same shape."""
        weights = self.mixture(x)  # B×4×H×W
        scales = torch.stack([branch(x) for branch in self.branches], dim=1)  # B×4×C×H×W
        output: Tensor = (weights.unsqueeze(2) * scales).sum(dim=1)
        return output


class FusionTail(nn.Module):
    """Turn the fused streams into the image, with CFA at half the size."""

    def __init__(self, *, channels: int) -> None:
        super().__init__()
        self.reduce = nn.Sequential(
            nn.Conv2d(2 * channels, channels, 3, stride=2, padding=1), nn.LeakyReLU(SLOPE)
        )
        self.affinity = RegionAffinity()
        self.aggregation = MultiScaleAggregation(channels=channels)
        self.merge = nn.Sequential(
            nn.Conv2d(2 * channels, channels, 3, padding=1), nn.LeakyReLU(SLOPE)
        )
        self.output = nn.Sequential(nn.Conv2d(3 * channels, 3, 1), nn.Tanh())

    def forward(self, fused: Tensor) -> Tensor:
        """Args: fused B×2C×H×W. Returns B×3×H×W in [-1, 1]."""
        x = self.reduce(fused)  # B×C×H/2×W/2
        aggregated = self.aggregation(self.affinity(x))
        x = self.merge(torch.cat([x, aggregated], dim=1))
        x = F.interpolate(x, scale_factor=2, mode="bilinear")
        image: Tensor = self.output(torch.cat([x, fused], dim=1))
        return image


def _gate(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(2 * channels, channels, 3, padding=1), nn.Sigmoid())
