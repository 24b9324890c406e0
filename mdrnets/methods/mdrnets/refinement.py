"""The guided refinement network: completes the masked image, guided by the memory's features.

MDRNets, Figure 2: gated convolutions, gated residual blocks and SPADE residual blocks. The widths
are our choice; see the assumption ledger.
"""

from collections.abc import Sequence
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mdrnets.config.marks import Chosen
from mdrnets.networks.gated_conv import GatedConv2d
from mdrnets.networks.spade import SpadeResBlock

SLOPE: Annotated[float, Chosen("as in the decoder's SPADE blocks")] = 0.2


class RefinementNetwork(nn.Module):
    """Encoder down to 1/8 of the size, dilated residual blocks, SPADE decoder.

    Every gated convolution is LeakyReLU(IN(features)) ⊙ σ(gate).
    """

    def __init__(
        self, *, width: int, dilations: Sequence[int], guidance_channels: int, spade_hidden: int
    ) -> None:
        """Args:
        width: channels of the first and last layer; doubled at each of the three halvings.
        dilations: one for each residual block of the bottleneck.
        guidance_channels: channels of the features that guide the decoder.
        spade_hidden: channels between the guidance and a SPADE block's scale and shift.
        """
        super().__init__()
        self.encoder = nn.Sequential(
            _gated_conv(3 + 1, width, kernel_size=7),  # image and hole; H
            _gated_conv(width, 2 * width, kernel_size=4, stride=2, padding=1),  # H/2
            _gated_conv(2 * width, 4 * width, kernel_size=4, stride=2, padding=1),  # H/4
            _gated_conv(4 * width, 8 * width, kernel_size=4, stride=2, padding=1),  # H/8
        )
        self.middle = nn.Sequential(
            *[GatedResBlock(channels=8 * width, dilation=dilation) for dilation in dilations]
        )
        self.decoder = nn.ModuleList(
            SpadeResBlock(
                in_channels=before * width,
                out_channels=after * width,
                guidance_channels=guidance_channels,
                hidden=spade_hidden,
            )
            for before, after in [(8, 8), (8, 4), (4, 2), (2, 1)]  # at H/8, H/4, H/2, H
        )
        self.to_image = nn.Sequential(
            nn.LeakyReLU(SLOPE), nn.Conv2d(width, 3, 3, padding=1), nn.Tanh()
        )

    def forward(self, masked: Tensor, hole: Tensor, guidance: Tensor) -> Tensor:
        """Args: masked B×3×H×W, zero in the hole; hole B×1×H×W; guidance B×c×h×w of any size.

        H and W are multiples of 8. Returns I_o, B×3×H×W in [-1, 1].
        """
        x = self.middle(self.encoder(torch.cat([masked, hole], dim=1)))  # B×8·width×H/8×W/8

        for level, block in enumerate(self.decoder):
            if level > 0:
                x = F.interpolate(x, scale_factor=2)
            x = block(x, guidance)

        image: Tensor = self.to_image(x)
        return image


class GatedResBlock(nn.Module):
    """x + two gated 3×3 convolutions of x, of which the first is dilated."""

    def __init__(self, *, channels: int, dilation: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _gated_conv(channels, channels, kernel_size=3, dilation=dilation),
            _gated_conv(channels, channels, kernel_size=3),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Args: x B×channels×H×W. Returns the same shape."""
        output: Tensor = x + self.layers(x)
        return output


def _gated_conv(
    in_channels: int,
    out_channels: int,
    *,
    kernel_size: int,
    stride: int = 1,
    padding: int | None = None,
    dilation: int = 1,
) -> GatedConv2d:
    return GatedConv2d(
        in_channels=in_channels,
        out_channels=out_channels,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        norm=nn.InstanceNorm2d(out_channels),
        activation=nn.LeakyReLU(SLOPE),
    )
