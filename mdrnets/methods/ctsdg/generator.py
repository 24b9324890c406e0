"""CTSDG's generator: two U-Nets of partial convolutions with swapped bottlenecks.

Guo et al. 2021, section 3.1: texture is decoded from structure, structure from texture, each with
the skip connections of its own encoder.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from mdrnets.methods.ctsdg.fusion import SLOPE, BiGFF, FusionTail
from mdrnets.networks.partial_conv import Part, PartialConv2d
from mdrnets.networks.partial_unet import PartialBlock, partial_encoder

INIT_STD = 0.02
PROJECTION_DIVISOR = 4  # width of the projections' bottleneck: 64 → 16


@dataclass(frozen=True)
class GeneratorOutput:
    """The image, and the projections of each stream (for training only).

    Attributes:
        image, projected_image: B×3×H×W in [-1, 1].
        projected_edge: logits, B×1×H×W.
    """

    image: Tensor
    projected_image: Tensor
    projected_edge: Tensor


class Generator(nn.Module):
    """Masked image, edges and grey values → the complete image."""

    def __init__(self, *, levels: int, width: int) -> None:
        super().__init__()
        self.texture_encoder = _encoder(3, levels, width)
        self.structure_encoder = _encoder(2, levels, width)
        self.texture_decoder = _decoder(3, levels, width)
        self.structure_decoder = _decoder(2, levels, width)
        self.texture_projection = nn.Sequential(
            Bottleneck(channels=width), nn.Conv2d(width, 3, 1), nn.Tanh()
        )
        self.structure_projection = nn.Sequential(
            Bottleneck(channels=width), nn.Conv2d(width, 1, 1)
        )
        self.fusion = BiGFF(channels=width)
        self.tail = FusionTail(channels=width)

        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, 0, INIT_STD)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, 1, INIT_STD)

    def forward(self, masked: Tensor, edge: Tensor, grey: Tensor, hole: Tensor) -> GeneratorOutput:
        """Args:
        masked: B×3×H×W in [-1, 1]; edge: B×1×H×W; grey: B×1×H×W; values in the hole are ignored.
        hole: B×1×H×W, 1 = missing. H and W are multiples of 2^levels.
        """
        valid = 1 - hole
        texture_skips = _encode(self.texture_encoder, [(masked, valid)])
        structure_skips = _encode(self.structure_encoder, [(edge, valid), (grey, valid)])

        texture = _decode(self.texture_decoder, structure_skips[-1], texture_skips[:-1])
        structure = _decode(self.structure_decoder, texture_skips[-1], structure_skips[:-1])

        return GeneratorOutput(
            image=self.tail(self.fusion(texture, structure)),
            projected_image=self.texture_projection(texture),
            projected_edge=self.structure_projection(structure),
        )


class Bottleneck(nn.Module):
    """Residual block with a quarter of the channels in between."""

    def __init__(self, *, channels: int) -> None:
        super().__init__()
        hidden = channels // PROJECTION_DIVISOR
        self.body = nn.Sequential(
            nn.Conv2d(channels, hidden, 3, padding=1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU(),
            nn.Conv2d(hidden, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Args: x B×C×H×W. Returns the same shape."""
        return F.relu(x + self.body(x))


def _widths(levels: int, width: int) -> list[int]:
    return [width * min(2**level, 8) for level in range(levels)]


def _encoder(in_channels: int, levels: int, width: int) -> nn.ModuleList:
    return partial_encoder([in_channels, *_widths(levels, width)])


def _decoder(in_channels: int, levels: int, width: int) -> nn.ModuleList:
    """Blocks from the deepest level up; the last block also receives the network's input."""
    widths = _widths(levels, width)
    skips = [in_channels, *widths[:-1]]
    outputs = [width, *widths[:-1]]
    return nn.ModuleList(
        PartialBlock(
            conv=PartialConv2d(
                in_channels=widths[level] + skips[level],
                out_channels=outputs[level],
                kernel_size=3,
            ),
            norm=nn.BatchNorm2d(outputs[level]),
            activation=nn.LeakyReLU(SLOPE),
        )
        for level in reversed(range(levels))
    )


def _encode(encoder: nn.ModuleList, parts: Sequence[Part]) -> list[Sequence[Part]]:
    """Return the input and the outputs of all levels, each as parts for the next layer."""
    levels: list[Sequence[Part]] = [parts]
    for block in encoder:
        levels.append([block(levels[-1])])
    return levels


def _decode(
    decoder: nn.ModuleList, bottleneck: Sequence[Part], skips: Sequence[Sequence[Part]]
) -> Tensor:
    (part,) = bottleneck
    for block, skip in zip(decoder, reversed(skips), strict=True):
        features, valid = part
        # Bilinear for features; pixel duplication for validity, which must stay 0 or 1.
        up = (
            F.interpolate(features, scale_factor=2, mode="bilinear"),
            F.interpolate(valid, scale_factor=2),
        )
        part = block([up, *skip])
    return part[0]
