"""The guided refinement network: refines the coarse face, guided by the memory's features.

MDRNets, Figure 2: gated convolutions, gated residual blocks and SPADE residual blocks. The widths
are our choice; see the assumption ledger.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mdrnets.config.marks import Chosen
from mdrnets.networks.gated_conv import GatedConv2d
from mdrnets.networks.instance_norm import InstanceNorm2d
from mdrnets.networks.spade import Resizing, SpadeResBlock

SLOPE: Annotated[float, Chosen("as in the decoder's SPADE blocks")] = 0.2


GatedNorm = Literal["none", "instance"]


class RefinementNetwork(nn.Module):
    """Gated encoder, dilated residual blocks, SPADE decoder.

    Every gated convolution is LeakyReLU(norm(features)) ⊙ σ(gate).
    """

    def __init__(
        self,
        *,
        width: int,
        halvings: int,
        dilations: Sequence[int],
        norm: GatedNorm,
        guidance_channels: int,
        spade_hidden: int,
        resizing: Resizing,
    ) -> None:
        """Args:
        width: channels of the first and last layer; doubled at each halving.
        halvings: of the size, before the bottleneck.
        dilations: one for each residual block of the bottleneck.
        norm: of the features of gated convolutions.
        guidance_channels: channels of the features that guide the decoder.
        spade_hidden: channels between the guidance and a SPADE block's scale and shift.
        resizing: of the guidance to the size of each SPADE block.
        """
        super().__init__()
        widths = [width * 2**level for level in range(halvings + 1)]  # at H, H/2, H/4, …
        self.encoder = nn.Sequential(
            _gated_conv(3 + 1, width, kernel_size=7, norm=norm),  # image and hole
            *[
                _gated_conv(before, after, kernel_size=4, stride=2, padding=1, norm=norm)
                for before, after in pairwise(widths)
            ],
        )
        self.middle = nn.Sequential(
            *[
                GatedResBlock(channels=widths[-1], dilation=dilation, norm=norm)
                for dilation in dilations
            ]
        )
        self.decoder = nn.ModuleList(
            SpadeResBlock(
                in_channels=before,
                out_channels=after,
                guidance_channels=guidance_channels,
                hidden=spade_hidden,
                resizing=resizing,
            )
            for before, after in pairwise([widths[-1], *widths[::-1]])  # from the bottleneck to H
        )
        self.to_image = nn.Sequential(
            nn.LeakyReLU(SLOPE), nn.Conv2d(width, 3, 3, padding=1), nn.Tanh()
        )

    def forward(self, image: Tensor, hole: Tensor, guidance: Tensor) -> Tensor:
        """Args:
        image: the image to refine, B×3×H×W in [-1, 1]. H and W are multiples of 2^halvings.
        hole: B×1×H×W.
        guidance: B×c×h×w of any size.

        Returns:
            B×3×H×W in [-1, 1].
        """
        x = self.middle(self.encoder(torch.cat([image, hole], dim=1)))

        for level, block in enumerate(self.decoder):
            if level > 0:
                x = F.interpolate(x, scale_factor=2)
            x = block(x, guidance)

        output: Tensor = self.to_image(x)
        return output


class GatedResBlock(nn.Module):
    """x + two gated 3×3 convolutions of x, of which the first is dilated."""

    def __init__(self, *, channels: int, dilation: int, norm: GatedNorm) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _gated_conv(channels, channels, kernel_size=3, dilation=dilation, norm=norm),
            _gated_conv(channels, channels, kernel_size=3, norm=norm),
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
    norm: GatedNorm,
    stride: int = 1,
    padding: int | None = None,
    dilation: int = 1,
) -> GatedConv2d:
    return GatedConv2d(
        in_channels,
        out_channels,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        norm=InstanceNorm2d(out_channels) if norm == "instance" else None,
        activation=nn.LeakyReLU(SLOPE),
    )
