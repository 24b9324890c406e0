"""CTSDG's discriminator: one branch for texture, one for structure (edges and grey values).

Guo et al. 2021, section 3.4.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mdrnets.networks.patchgan import PatchDiscriminator

INIT_STD = 0.02
EDGE_WIDTH = 16


class EdgeDetector(nn.Module):
    """Learns to detect edges, so that the edges of a generated image can be compared."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Sequential(_convolution(3), nn.BatchNorm2d(EDGE_WIDTH), nn.ReLU())
        self.body = nn.Sequential(
            _convolution(EDGE_WIDTH),
            nn.BatchNorm2d(EDGE_WIDTH),
            nn.ReLU(),
            _convolution(EDGE_WIDTH),
            nn.BatchNorm2d(EDGE_WIDTH),
        )
        self.output = nn.Conv2d(EDGE_WIDTH, 1, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Args: image B×3×H×W in [-1, 1]. Returns logits B×1×H×W."""
        x = self.head(image)
        logits: Tensor = self.output(F.relu(x + self.body(x)))
        return logits


class Discriminator(nn.Module):
    """Both branches; the structure branch always receives the true grey values."""

    compiled_in_parts = True  # the edge detector is also called alone

    def __init__(self, *, base: int) -> None:
        super().__init__()
        self.texture = PatchDiscriminator(in_channels=3, base=base)
        self.structure = PatchDiscriminator(in_channels=2, base=base)
        self.edge_detector = EdgeDetector()

        for branch in (self.texture, self.structure):  # the edge detector keeps PyTorch's default
            for weight in branch.parameters():
                nn.init.normal_(weight, 0, INIT_STD)

    def forward(self, image: Tensor, grey: Tensor, edge: Tensor) -> Tensor:
        """Args:
            image: B×3×H×W in [-1, 1].
            grey: grey values of the ground truth, B×1×H×W in [0, 1].
            edge: edges of the image, B×1×H×W in [0, 1]: by Canny for a real image, by the edge
                detector for a generated one.

        Returns:
            Logits of both branches, B×2×h×w.
        """
        structure = self.structure(torch.cat([edge, grey], dim=1))
        return torch.cat([self.texture(image), structure], dim=1)


def _convolution(in_channels: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, EDGE_WIDTH, 3, padding=1)
