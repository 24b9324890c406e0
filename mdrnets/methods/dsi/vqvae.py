"""DSI's hierarchical VQ-VAE: structure codes at H/8, texture codes at H/4.

Peng et al., "Generating Diverse Structure for Image Inpainting With Hierarchical VQ-VAE" (CVPR
2021, https://arxiv.org/abs/2103.10022), section 3.1.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mdrnets.networks.precision import without_autocast
from mdrnets.networks.vector_quantiser import Quantisation, VectorQuantiser


@dataclass(frozen=True)
class Encoding:
    """Features of an image before and after quantisation; top B×D×H/8×W/8, bottom B×D×H/4×W/4."""

    top_features: Tensor
    top: Quantisation
    bottom_features: Tensor
    bottom: Quantisation


class HierarchicalVQVAE(nn.Module):
    """Image → two levels of codes → image."""

    def __init__(self, *, width: int, hidden: int, codes: int, channels: int, reseed: int) -> None:
        """Args:
        width: channels of most layers; the outermost layers have half as many.
        hidden: hidden channels of the residual blocks.
        codes, channels: size of each codebook.
        reseed: steps between re-initialisations of rare codes.
        """
        super().__init__()
        half = width // 2
        self.bottom_encoder = nn.Sequential(
            nn.Conv2d(3, half, 4, 2, 1),
            nn.ELU(),
            nn.Conv2d(half, width, 4, 2, 1),
            nn.ELU(),
            nn.Conv2d(width, width, 3, padding=1),
            *_residuals(width, hidden),
        )
        self.top_encoder = nn.Sequential(
            nn.Conv2d(width, half, 4, 2, 1),
            nn.ELU(),
            nn.Conv2d(half, width, 3, padding=1),
            *_residuals(width, hidden),
            nn.Conv2d(width, channels, 1),
        )
        self.top_quantiser = VectorQuantiser(codes=codes, channels=channels, reseed_every=reseed)
        self.top_decoder = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1),
            *_residuals(width, hidden),
            nn.ConvTranspose2d(width, width, 4, 2, 1),
        )
        self.merge = nn.Conv2d(2 * width, channels, 1)
        self.bottom_quantiser = VectorQuantiser(codes=codes, channels=channels, reseed_every=reseed)
        self.upsample_top = nn.ConvTranspose2d(channels, channels, 4, 2, 1)
        self.decoder = nn.Sequential(
            nn.Conv2d(2 * channels, width, 3, padding=1),
            *_residuals(width, hidden),
            nn.ConvTranspose2d(width, half, 4, 2, 1),
            nn.ELU(),
            nn.ConvTranspose2d(half, 3, 4, 2, 1),
        )

    def encode(self, image: Tensor) -> Encoding:
        """Args: image B×3×H×W in [-1, 1], H and W multiples of 8."""
        bottom = self.bottom_encoder(image)  # B×C×H/4×W/4
        top_features = self.top_encoder(bottom)  # B×D×H/8×W/8
        top = self.top_quantiser(top_features)
        merged = torch.cat([bottom, self.top_decoder(top.vectors)], dim=1)
        bottom_features = self.merge(merged)  # B×D×H/4×W/4
        return Encoding(
            top_features=top_features,
            top=top,
            bottom_features=bottom_features,
            bottom=self.bottom_quantiser(bottom_features),
        )

    def forward(self, image: Tensor) -> tuple[Tensor, Encoding]:
        """Return the reconstruction, B×3×H×W and not restricted to [-1, 1], and the codes."""
        encoded = self.encode(image)
        up = self.upsample_top(encoded.top.vectors)
        return self.decoder(torch.cat([encoded.bottom.vectors, up], dim=1)), encoded


class ResidualBlock(nn.Module):
    """x + 1×1(ELU(3×3(ELU(x))))."""

    def __init__(self, *, width: int, hidden: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.ELU(),
            nn.Conv2d(width, hidden, 3, padding=1),
            nn.ELU(),
            nn.Conv2d(hidden, width, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Args: x B×C×H×W. Returns the same shape."""
        output: Tensor = x + self.body(x)
        return output


def _residuals(width: int, hidden: int) -> list[nn.Module]:
    block = [ResidualBlock(width=width, hidden=hidden) for _ in range(2)]
    return [*block, nn.ELU()]


def code_loss(features: Tensor, indices: Tensor, codebook: Tensor) -> Tensor:
    """Cross-entropy between features and their target codes, over all codes of the codebook.

    Distances are standardised over the codes and squashed to limit the effect of outliers.
    Args: features B×D×h×w; indices int64 B×h×w; codebook K×D. Returns a scalar.
    """
    flat = features.permute(0, 2, 3, 1).flatten(0, 2).float()  # N×D
    with without_autocast(features):  # a difference of large numbers
        distance = (
            flat.square().sum(dim=1, keepdim=True)
            + codebook.square().sum(dim=1)
            - 2 * flat @ codebook.T
        )  # N×K
    return F.cross_entropy(-10 * torch.tanh(standardise(distance)), indices.flatten())


def standardise(x: Tensor) -> Tensor:
    """Standardise to zero mean and unit standard deviation over the last axis."""
    variance, mean = torch.var_mean(x, dim=-1, keepdim=True, correction=0)
    return (x - mean) / (variance + 1e-8).sqrt()
