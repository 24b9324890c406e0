"""The style encoder: computes a style vector for every position of the coarse face.

MDRNets, Figure 2 (F_s); layers as in Zhu et al., "SEAN: Image Synthesis with Semantic
Region-Adaptive Normalization" (CVPR 2020), appendix.
"""

from typing import Annotated

from torch import Tensor, nn

from mdrnets.config.marks import Cited
from mdrnets.networks.instance_norm import InstanceNorm2d

SLOPE: Annotated[float, Cited("SEAN")] = 0.2


class StyleEncoder(nn.Module):
    """Downsample by 4, upsample by 2: features at half the image size, in (-1, 1)."""

    def __init__(self, *, channels: int, width: int) -> None:
        """Args: channels: c, of the output. width: of the first layer; doubled three times."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(1),
            *_conv_norm_act(nn.Conv2d(3, width, 3)),  # H
            *_conv_norm_act(nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)),  # H/2
            *_conv_norm_act(nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1)),  # H/4
            *_conv_norm_act(
                nn.ConvTranspose2d(
                    4 * width, 8 * width, 3, stride=2, padding=1, output_padding=1
                )  # H/2
            ),
            nn.ReflectionPad2d(1),
            nn.Conv2d(8 * width, channels, 3),
            nn.Tanh(),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Args: image B×3×H×W in [-1, 1], H and W multiples of 4. Returns F_s, B×c×H/2×W/2."""
        features: Tensor = self.layers(image)
        return features


def _conv_norm_act(conv: nn.Conv2d | nn.ConvTranspose2d) -> tuple[nn.Module, ...]:
    return conv, InstanceNorm2d(conv.out_channels), nn.LeakyReLU(SLOPE)
