"""Residual blocks of PIC: convolutions with spectral normalisation and learned shortcuts.

Zheng et al., "Pluralistic Image Completion" (CVPR 2019, https://arxiv.org/abs/1903.04227), with
the layers of the authors' code; but power iterations stop in eval mode, as in PyTorch.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mdrnets.networks.precision import without_autocast
from mdrnets.networks.spectral_norm import spectral_norm

SLOPE = 0.1  # of LeakyReLU


def convolution(
    before: int, after: int, kernel_size: int, *, padding: int | None = None
) -> nn.Conv2d:
    """A spectrally normalised convolution of stride 1; keeps the size unless `padding` is given."""
    padding = kernel_size // 2 if padding is None else padding
    return spectral_norm(nn.Conv2d(before, after, kernel_size, padding=padding))


class PooledConv2d(nn.Conv2d):
    """A 3×3 convolution and then 2×2 average pooling, as one 4×4 convolution of stride 2."""

    means: Tensor

    def __init__(self, before: int, after: int) -> None:
        super().__init__(before, after, 3, padding=1)
        each = F.pad(torch.eye(9).view(9, 1, 3, 3), (1, 1, 1, 1))
        means = F.avg_pool2d(each, 2, stride=1).flatten(1)  # 9×16: the mean of four shifts
        self.register_buffer("means", means, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Args: x B×before×H×W, H and W even. Returns B×after×H/2×W/2."""
        with without_autocast(x):
            kernel = (self.weight.flatten(2) @ self.means).unflatten(2, (4, 4))
        return F.conv2d(x, kernel, self.bias, stride=2, padding=1)


def pooled_convolution(before: int, after: int) -> PooledConv2d:
    """A spectrally normalised 3×3 convolution, and the mean of each 2×2 pixels."""
    return spectral_norm(PooledConv2d(before, after))


def transposed_convolution(before: int, after: int) -> nn.ConvTranspose2d:
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
            pooled_convolution(out_channels, out_channels),
        )
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), convolution(in_channels, out_channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Args: x B×in×H×W. Returns B×out×H/2×W/2."""
        output: Tensor = self.main(x) + self.shortcut(x)
        return output


class ResBlock(nn.Module):
    """Two 3×3 convolutions and a 1×1 shortcut; halves the size afterwards if `down`.

    The authors pool the sum. Pooling is linear: here it is part of the last convolution, and comes
    before the shortcut's.
    """

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
            pooled_convolution(hidden, out_channels)
            if down
            else convolution(hidden, out_channels, 3),
        )
        self.shortcut = convolution(in_channels, out_channels, 1)
        self.down = down

    def forward(self, x: Tensor) -> Tensor:
        """Args: x B×in×H×W. Returns B×out×H×W, or B×out×H/2×W/2."""
        output: Tensor = self.main(x) + self.shortcut(F.avg_pool2d(x, 2) if self.down else x)
        return output


class ResBlockUp(nn.Module):
    """A residual block of the decoder with instance normalisation; doubles height and width.

    The transposed convolutions of both paths are one, over the channels of both.
    """

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
        last: nn.ConvTranspose2d = self.main[-1]  # type: ignore[assignment]
        return F.conv_transpose2d(
            torch.cat([self.main[:-1](x), x], dim=1),
            torch.cat([last.weight, self.shortcut.weight]),
            last.bias + self.shortcut.bias,  # type: ignore[operator]
            stride=2,
            padding=1,
            output_padding=1,
        )


class OutputBlock(nn.Sequential):
    """Convert the features of one scale to an image in [-1, 1]."""

    def __init__(self, *, in_channels: int) -> None:
        super().__init__(
            nn.LeakyReLU(SLOPE),
            nn.ReflectionPad2d(1),
            convolution(in_channels, 3, 3, padding=0),
            nn.Tanh(),
        )
