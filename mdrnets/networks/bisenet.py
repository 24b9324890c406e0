"""BiSeNet on ResNet-18: the segmentation network behind the face parser.

Yu et al., "BiSeNet: Bilateral Segmentation Network for Real-time Semantic Segmentation" (ECCV
2018, https://arxiv.org/abs/1808.00897), section 3, in the variant used for face parsers: the
spatial path is replaced by the context path's own features of stride 8.
"""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mdrnets.networks.features import ColourNormalisation

STRIDE = 32  # of the deepest features; H and W must be multiples of it


class BiSeNet(nn.Module):
    """Image → class logits of the same size."""

    compiled_in_parts = True  # `forward_with_auxiliary` enters it as well

    def __init__(self, *, n_classes: int, width: int = 64, align_corners: bool = False) -> None:
        """Args:
        n_classes: K.
        width: channels of ResNet's first stage, 64 in ResNet-18; all other widths are scaled.
        align_corners: whether to align corners when logits are upsampled to the image size, as
            in the training of the published weights.

        A training batch needs at least two images, because BatchNorm receives one pooled value of
        each.
        """
        super().__init__()
        self.context = ContextPath(width=width)
        self.fusion = FeatureFusion(in_channels=4 * width, out_channels=4 * width)
        head = partial(Head, n_classes=n_classes, align_corners=align_corners)
        self.head = head(in_channels=4 * width, hidden=4 * width)
        self.head16 = head(in_channels=2 * width, hidden=width)
        self.head32 = head(in_channels=2 * width, hidden=width)
        self.colours = ColourNormalisation()

        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def forward(self, image: Tensor) -> Tensor:
        """Args: image B×3×H×W in [-1, 1], H and W multiples of STRIDE. ImageNet's mean and standard
        deviation are applied here.

        Returns logits B×n_classes×H×W.
        """
        spatial, context, _ = self.context(self._normalise(image))
        logits: Tensor = self.head(self.fusion(spatial, context), size=image.shape[-2:])
        return logits

    def forward_with_auxiliary(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Like `forward`, with the two auxiliary heads, which are needed only in training.

        Returns the logits of the main head and of those on the context path's features of
        strides 16 and 32, each B×n_classes×H×W.
        """
        size = image.shape[-2:]
        spatial, context16, context32 = self.context(self._normalise(image))
        return (
            self.head(self.fusion(spatial, context16), size=size),
            self.head16(context16, size=size),
            self.head32(context32, size=size),
        )

    def _normalise(self, image: Tensor) -> Tensor:
        normalised: Tensor = self.colours((image + 1) / 2)
        return normalised


class ContextPath(nn.Module):
    """Section 3.2: ResNet-18 with attention refinement of its two deepest maps."""

    def __init__(self, *, width: int) -> None:
        super().__init__()
        self.resnet = ResNet18(width=width)
        self.pooled = ConvBNReLU(8 * width, 2 * width, kernel_size=1)
        self.attention32 = AttentionRefinement(in_channels=8 * width, out_channels=2 * width)
        self.attention16 = AttentionRefinement(in_channels=4 * width, out_channels=2 * width)
        self.after32 = ConvBNReLU(2 * width, 2 * width, kernel_size=3)
        self.after16 = ConvBNReLU(2 * width, 2 * width, kernel_size=3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Args: x B×3×H×W.

        Returns three maps of 2·width channels: ResNet's own of stride 8, and those refined from
        strides 16 and 32, each upsampled by two (strides 8 and 16).
        """
        stride8, stride16, stride32 = self.resnet(x)

        everywhere = self.pooled(_pool(stride32))  # B×2w×1×1
        x = self.attention32(stride32) + everywhere  # B×2w×H/32×W/32
        context32 = self.after32(F.interpolate(x, scale_factor=2))  # B×2w×H/16×W/16

        x = self.attention16(stride16) + context32
        context16 = self.after16(F.interpolate(x, scale_factor=2))  # B×2w×H/8×W/8
        return stride8, context16, context32


class AttentionRefinement(nn.Module):
    """Figure 2b: a convolution with channel attention from the average of each channel."""

    def __init__(self, *, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = ConvBNReLU(in_channels, out_channels, kernel_size=3)
        self.attention = nn.Sequential(
            nn.Conv2d(out_channels, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Args: x B×in_channels×h×w. Returns B×out_channels×h×w."""
        features = self.conv(x)
        weighted: Tensor = features * self.attention(_pool(features))
        return weighted


class FeatureFusion(nn.Module):
    """Figure 2c: both paths concatenated and convolved, plus the same with channel attention."""

    def __init__(self, *, in_channels: int, out_channels: int) -> None:
        """Args: in_channels: sum over both paths."""
        super().__init__()
        self.conv = ConvBNReLU(in_channels, out_channels, kernel_size=1)
        self.attention = nn.Sequential(
            nn.Conv2d(out_channels, out_channels // 4, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(out_channels // 4, out_channels, 1, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, spatial: Tensor, context: Tensor) -> Tensor:
        """Args: spatial and context B×c×h×w. Returns B×out_channels×h×w."""
        features = self.conv(torch.cat([spatial, context], dim=1))
        fused: Tensor = features + features * self.attention(_pool(features))
        return fused


class Head(nn.Module):
    """Features → logits, upsampled to the image size."""

    def __init__(
        self, *, in_channels: int, hidden: int, n_classes: int, align_corners: bool
    ) -> None:
        super().__init__()
        self.align_corners = align_corners
        self.conv = ConvBNReLU(in_channels, hidden, kernel_size=3)
        self.classify = nn.Conv2d(hidden, n_classes, 1, bias=False)

    def forward(self, x: Tensor, *, size: tuple[int, int]) -> Tensor:
        """Args: x B×in_channels×h×w. Returns B×n_classes×size."""
        logits = self.classify(self.conv(x))
        return F.interpolate(logits, size=size, mode="bilinear", align_corners=self.align_corners)


class ResNet18(nn.Module):
    """He et al. 2016, table 1 (18 layers), without its classifier."""

    def __init__(self, *, width: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            ConvBNReLU(3, width, kernel_size=7, stride=2),
            nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
        )
        self.stage1 = _stage(width, width, stride=1)
        self.stage2 = _stage(width, 2 * width, stride=2)
        self.stage3 = _stage(2 * width, 4 * width, stride=2)
        self.stage4 = _stage(4 * width, 8 * width, stride=2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Args: x B×3×H×W. Returns the maps of strides 8, 16, 32: 2, 4, 8 times width channels."""
        stride8 = self.stage2(self.stage1(self.stem(x)))
        stride16 = self.stage3(stride8)
        return stride8, stride16, self.stage4(stride16)


class BasicBlock(nn.Module):
    """Two 3×3 convolutions with a shortcut."""

    def __init__(self, in_channels: int, out_channels: int, *, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvBNReLU(in_channels, out_channels, kernel_size=3, stride=stride),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or in_channels != out_channels:
            # Subsampling and then convolving equals a strided 1×1 convolution. On CPU, the latter
            # writes past its workspace below 16 channels (uxlfoundation/oneDNN issue 6035).
            self.shortcut = nn.Sequential(
                nn.MaxPool2d(kernel_size=1, stride=stride),
                nn.Conv2d(in_channels, out_channels, 1, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Args: x B×in_channels×h×w. Returns B×out_channels×(h/stride)×(w/stride)."""
        return F.relu(self.shortcut(x) + self.body(x))


class ConvBNReLU(nn.Sequential):
    """Convolution without bias, batch normalisation, ReLU; padded with half a kernel of zeros."""

    def __init__(
        self, in_channels: int, out_channels: int, *, kernel_size: int, stride: int = 1
    ) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
        )


def _stage(in_channels: int, out_channels: int, *, stride: int) -> nn.Sequential:
    return nn.Sequential(
        BasicBlock(in_channels, out_channels, stride=stride),
        BasicBlock(out_channels, out_channels, stride=1),
    )


def _pool(features: Tensor) -> Tensor:
    """B×c×h×w → B×c×1×1: the mean over positions."""
    return features.mean(dim=(2, 3), keepdim=True)
