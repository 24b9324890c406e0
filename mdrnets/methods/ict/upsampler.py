"""ICT's guided upsampler: masked image and low-resolution appearance prior → complete image.

Wan et al. 2021, section 3.2.
"""

import torch
from torch import Tensor, nn

INIT_STD = 0.02
REDUCTION = 4  # H and W are multiples of it: two strided convolutions


class GuidedUpsampler(nn.Module):
    """Encoder, dilated residual blocks at 1/4 of the size, and decoder; no skip connections."""

    def __init__(self, *, base: int, blocks: int, init_gain: float = 1.0) -> None:
        """Args:
        base: channels at full size.
        blocks: number of residual blocks.
        init_gain: factor of the standard deviation of the initial weights.
        """
        super().__init__()
        c = base
        self.layers = nn.Sequential(
            nn.Conv2d(6, c, 7, padding=3, padding_mode="reflect"),
            nn.ReLU(),
            nn.Conv2d(c, 2 * c, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(2 * c, 4 * c, 4, stride=2, padding=1),
            nn.ReLU(),
            *(DilatedBlock(channels=4 * c) for _ in range(blocks)),
            nn.ConvTranspose2d(4 * c, 2 * c, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * c, c, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(c, 3, 7, padding=3, padding_mode="reflect"),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(module.weight, 0, init_gain * INIT_STD)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def forward(self, image_01: Tensor, hole: Tensor, prior_01: Tensor) -> Tensor:
        """Args:
            image_01: B×3×H×W in [0, 1], values in the hole are ignored; H and W multiples of
                `REDUCTION`.
            hole: B×1×H×W, 1 = missing; painted white in the image, and not an input itself.
            prior_01: B×3×H×W in [0, 1].

        Returns:
            B×3×H×W in [0, 1].
        """
        white = image_01 * (1 - hole) + hole
        output: Tensor = (torch.tanh(self.layers(torch.cat([white, prior_01], dim=1))) + 1) / 2
        return output


class DilatedBlock(nn.Module):
    """x + two convolutions, the first with dilation 2; no activation after the sum."""

    def __init__(self, *, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=2, dilation=2, padding_mode="reflect"),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect"),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Args: x B×C×H×W. Returns the same shape."""
        output: Tensor = x + self.body(x)
        return output
