"""The U-Net of partial convolutions: PConv's generator and the coarse network of MDRNets.

Liu et al., "Image Inpainting for Irregular Holes Using Partial Convolutions" (ECCV 2018,
https://arxiv.org/abs/1804.07723), section 3.2 and the appendix's layer table.
"""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from mdrnets.networks.frozen import freeze
from mdrnets.networks.partial_conv import Part, PartialConv2d

FIRST_KERNELS = (7, 5, 5)  # of the encoder; all further kernels are 3
DECODER_SLOPE = 0.2


class PartialUNet(nn.Module):
    """Image and hole → complete image: a U-Net of partial convolutions.

    The encoder halves the size `levels` times; its widths double from `width` up to
    `max_width`. Each decoder block concatenates the features below, upsampled by pixel
    duplication, with the encoder's input of the same size (for the last block: the masked image).
    The first and the last block have no BatchNorm; only the last has a bias, and it is linear.
    """

    def __init__(self, *, levels: int, width: int, max_width: int) -> None:
        super().__init__()
        widths = [3] + [min(width * 2**level, max_width) for level in range(levels)]
        self.encoder = partial_encoder(widths)
        self.decoder = nn.ModuleList(
            PartialBlock(
                conv=PartialConv2d(
                    in_channels=widths[level + 1] + widths[level],
                    out_channels=widths[level],
                    kernel_size=3,
                    bias=level == 0,
                ),
                norm=nn.BatchNorm2d(widths[level]) if level > 0 else nn.Identity(),
                activation=nn.LeakyReLU(DECODER_SLOPE) if level > 0 else nn.Identity(),
            )
            for level in reversed(range(levels))
        )

        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def forward(self, masked: Tensor, hole: Tensor) -> Tensor:
        """Args: masked B×3×H×W in [-1, 1], ignored in the hole; hole B×1×H×W, 1 = missing.

        H and W are multiples of 2^levels. Returns B×3×H×W, not restricted to [-1, 1].
        """
        part = (masked, 1 - hole)

        skips = []
        for block in self.encoder:
            skips.append(part)
            part = block([part])

        for block in self.decoder:
            part = block([_double(part), skips.pop()])

        return part[0]

    def encoder_norms(self) -> list[nn.BatchNorm2d]:
        return [m for m in self.encoder.modules() if isinstance(m, nn.BatchNorm2d)]

    def freeze_encoder_norms(self) -> None:
        """Freeze statistics and affine parameters of the encoder's BatchNorm permanently."""
        for norm in self.encoder_norms():
            freeze(norm)


class PartialBlock(nn.Module):
    """Partial convolution, normalisation, activation."""

    def __init__(self, *, conv: PartialConv2d, norm: nn.Module, activation: nn.Module) -> None:
        super().__init__()
        self.conv, self.norm, self.activation = conv, norm, activation

    def forward(self, parts: Sequence[Part]) -> Part:
        features, valid = self.conv(parts)
        return self.activation(self.norm(features)), valid


def partial_encoder(widths: Sequence[int]) -> nn.ModuleList:
    """Build blocks of stride 2 between these widths; the first width is the input's channels."""
    kernels = [*FIRST_KERNELS, *[3] * len(widths)][: len(widths) - 1]
    return nn.ModuleList(
        PartialBlock(
            conv=PartialConv2d(in_channels=outer, out_channels=inner, kernel_size=kernel, stride=2),
            norm=nn.BatchNorm2d(inner) if level > 0 else nn.Identity(),
            activation=nn.ReLU(),
        )
        for level, (outer, inner, kernel) in enumerate(
            zip(widths[:-1], widths[1:], kernels, strict=True)
        )
    )


def _double(part: Part) -> Part:
    """Double height and width by pixel duplication."""
    features, valid = part
    return F.interpolate(features, scale_factor=2), F.interpolate(valid, scale_factor=2)
