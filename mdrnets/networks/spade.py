"""SPADE: normalisation with scale and shift maps computed from guidance features.

Park et al., "Semantic Image Synthesis with Spatially-Adaptive Normalization" (CVPR 2019,
https://arxiv.org/abs/1903.07291), section 3 and Figure 4; the guidance here is any feature map.
"""

from typing import Annotated, Literal

import torch.nn.functional as F
from torch import Tensor, nn

from mdrnets.config.marks import Cited
from mdrnets.networks.instance_norm import InstanceNorm2d
from mdrnets.networks.spectral_norm import spectral_norm

SLOPE: Annotated[float, Cited("SPADE")] = 0.2

Resizing = Literal["nearest", "bilinear"]


class Spade(nn.Module):
    """y = IN(x) ⊙ (1 + γ(guidance)) + β(guidance)."""

    def __init__(self, *, channels: int, guidance_channels: int, hidden: int) -> None:
        super().__init__()
        self.norm = InstanceNorm2d(channels)
        self.hidden = nn.Sequential(nn.Conv2d(guidance_channels, hidden, 3, padding=1), nn.ReLU())
        self.scale_and_shift = nn.Conv2d(hidden, 2 * channels, 3, padding=1)  # γ, then β

    def forward(self, x: Tensor, guidance: Tensor) -> Tensor:
        """Args: x B×channels×H×W; guidance B×guidance_channels×H×W. Returns x's shape."""
        scale, shift = self.scale_and_shift(self.hidden(guidance)).chunk(2, dim=1)
        modulated: Tensor = self.norm(x) * (1 + scale) + shift
        return modulated


class SpadeResBlock(nn.Module):
    """Two times (SPADE, LeakyReLU, 3×3 convolution), with a shortcut.

    If the number of channels changes, the shortcut is SPADE and a 1×1 convolution. These three
    convolutions have spectral normalisation; those inside SPADE do not.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int,
        guidance_channels: int,
        hidden: int,
        resizing: Resizing = "nearest",
    ) -> None:
        """Args:
        hidden: channels between the guidance and the scale and shift of each SPADE.
        resizing: of the guidance to the size of x; the authors' is nearest neighbour.
        """
        super().__init__()
        self.resizing = resizing
        middle = min(in_channels, out_channels)

        def spade(channels: int) -> Spade:
            return Spade(channels=channels, guidance_channels=guidance_channels, hidden=hidden)

        self.spade_1 = spade(in_channels)
        self.conv_1 = spectral_norm(nn.Conv2d(in_channels, middle, 3, padding=1))
        self.spade_2 = spade(middle)
        self.conv_2 = spectral_norm(nn.Conv2d(middle, out_channels, 3, padding=1))
        self.activation = nn.LeakyReLU(SLOPE)

        self.learned_shortcut = in_channels != out_channels
        if self.learned_shortcut:
            self.spade_s = spade(in_channels)
            self.conv_s = spectral_norm(nn.Conv2d(in_channels, out_channels, 1, bias=False))

    def forward(self, x: Tensor, guidance: Tensor) -> Tensor:
        """Args: x B×in_channels×H×W; guidance B×guidance_channels×h×w, resized to H×W here.

        Returns B×out_channels×H×W.
        """
        guidance = F.interpolate(guidance, size=x.shape[2:], mode=self.resizing)

        y = self.conv_1(self.activation(self.spade_1(x, guidance)))
        y = self.conv_2(self.activation(self.spade_2(y, guidance)))

        shortcut = self.conv_s(self.spade_s(x, guidance)) if self.learned_shortcut else x
        residual: Tensor = shortcut + y
        return residual
