"""Residual blocks of PIC: convolutions with spectral normalisation and learned shortcuts.

Zheng et al., "Pluralistic Image Completion" (CVPR 2019, https://arxiv.org/abs/1903.04227), with
the layers of the authors' code; but power iterations stop in eval mode, as in PyTorch.
"""

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

SLOPE = 0.1  # of LeakyReLU


def convolution(
    before: int, after: int, kernel_size: int, *, padding: int | None = None
) -> nn.Module:
    """A spectrally normalised convolution of stride 1; keeps the size unless `padding` is given."""
    padding = kernel_size // 2 if padding is None else padding
    return spectral_norm(nn.Conv2d(before, after, kernel_size, padding=padding))


def transposed_convolution(before: int, after: int) -> nn.Module:
    """A spectrally normalised 3×3 transposed convolution that doubles height and width."""
    return spectral_norm(
        nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=1)
    )


class StartBlock(nn.Module):
    """The first block of encoder and discriminators, without an activation before it."""

    def __init__(self, *, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            convolution(in_channels, out_channels, 3),
            nn.LeakyReLU(SLOPE),
            convolution(out_channels, out_channels, 3),
            nn.AvgPool2d(2),
        )
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), convolution(in_channels, out_channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Args: x B×in×H×W. Returns B×out×H/2×W/2."""
        output: Tensor = self.main(x) + self.shortcut(x)
        return output


class ResBlock(nn.Module):
    """Two 3×3 convolutions and a 1×1 shortcut; halves the size afterwards if `down`."""

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int,
        hidden: int,
        down: bool = False,
        slope: float = SLOPE,
    ) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.LeakyReLU(slope),
            convolution(in_channels, hidden, 3),
            nn.LeakyReLU(slope),
            convolution(hidden, out_channels, 3),
        )
        self.shortcut = convolution(in_channels, out_channels, 1)
        self.down = down

    def forward(self, x: Tensor) -> Tensor:
        """Args: x B×in×H×W. Returns B×out×H×W, or B×out×H/2×W/2."""
        output: Tensor = self.main(x) + self.shortcut(x)
        return F.avg_pool2d(output, 2) if self.down else output


class ResBlockUp(nn.Module):
    """A residual block of the decoder with instance normalisation; doubles height and width."""

    def __init__(self, *, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.InstanceNorm2d(in_channels, affine=True),
            nn.LeakyReLU(SLOPE),
            convolution(in_channels, out_channels, 3),
            nn.InstanceNorm2d(out_channels, affine=True),
            nn.LeakyReLU(SLOPE),
            transposed_convolution(out_channels, out_channels),
        )
        self.shortcut = transposed_convolution(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Args: x B×in×H×W. Returns B×out×2H×2W."""
        output: Tensor = self.main(x) + self.shortcut(x)
        return output


class OutputBlock(nn.Sequential):
    """Convert the features of one scale to an image in [-1, 1]."""

    def __init__(self, *, in_channels: int) -> None:
        super().__init__(
            nn.LeakyReLU(SLOPE),
            nn.ReflectionPad2d(1),
            convolution(in_channels, 3, 3, padding=0),
            nn.Tanh(),
        )
