"""PIC's encoder with its two latent distributions, its generator, and its discriminator.

Zheng et al., "Pluralistic Image Completion" (CVPR 2019), section 3.2 and the authors' layers. Level
l is H/2^l; level 0 is the image's size. It has min(base · 2^l, cap) channels in the generator, and
min(base · 2^(l-1), cap) in encoder and discriminators.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import torch.nn.functional as F
from torch import Tensor, cat, channels_last, nn

from mdrnets.config.marks import Chosen
from mdrnets.methods.pic.attention import SelfAttention, ShortLongTermAttention
from mdrnets.methods.pic.blocks import (
    SLOPE,
    OutputBlock,
    ResBlock,
    ResBlockUp,
    StartBlock,
    convolution,
)

ATTENTION_LEVEL = 3  # H/8: the level of the attention and of the first output image
SCALES = ATTENTION_LEVEL + 1
DEVIATION_FLOOR: Annotated[float, Chosen("logarithms stay finite")] = 1e-4  # and quotients


@dataclass(frozen=True)
class Gaussian:
    """Independent normal distributions, one per element: mean and standard deviation."""

    mean: Tensor
    deviation: Tensor

    def detach(self) -> "Gaussian":
        """Return the same distribution, detached from the graph."""
        return Gaussian(self.mean.detach(), self.deviation.detach())

    def sample(self, noise: Tensor) -> Tensor:
        """Convert standard normal noise of the mean's shape to a sample."""
        return self.mean + self.deviation * noise


class Encoder(nn.Module):
    """Features of a part of the image, and the latent distribution given these features.

    The prior is computed from the visible part; the posterior from the hidden part, which is
    available only in training.
    """

    compiled_in_parts = True  # the distributions are computed by methods of their own

    def __init__(self, *, reductions: int, base: int, cap: int, infer_blocks: int) -> None:
        super().__init__()
        widths = [min(base * 2**level, cap) for level in range(reductions)]
        self.down = nn.ModuleList(
            [StartBlock(in_channels=3, out_channels=base)]
            + [
                ResBlock(in_channels=outer, out_channels=inner, hidden=outer, down=True)
                for outer, inner in pairwise(widths)
            ]
        )
        self.infer = nn.Sequential(
            *(ResBlock(in_channels=cap, out_channels=cap, hidden=cap) for _ in range(infer_blocks))
        )
        self.prior = ResBlock(in_channels=cap, out_channels=2 * cap, hidden=cap)
        self.posterior = ResBlock(in_channels=cap, out_channels=2 * cap, hidden=cap)

    def forward(self, part: Tensor) -> tuple[Tensor, Tensor]:
        """Args: part B×3×H×W in [-1, 1], zero elsewhere.

        Returns the features at H/8 and at the last level, B×C×h×w.
        """
        x = part
        for level, block in enumerate(self.down, start=1):
            x = block(x)
            if level == ATTENTION_LEVEL:
                early = x
        return early, x

    def distribution_of_visible(self, features: Tensor) -> Gaussian:
        """Compute the prior from the visible part's last features, B×C×h×w (as the latent)."""
        return _gaussian(self.prior(self.infer(features)))

    def distribution_of_hidden(self, features: Tensor) -> Gaussian:
        """Compute the posterior from the hidden part's last features, B×C×h×w (as the latent)."""
        return _gaussian(self.posterior(features))


class Generator(nn.Module):
    """A latent sample and the visible part's features → images at H/8, H/4, H/2 and H."""

    def __init__(self, *, reductions: int, base: int, cap: int) -> None:
        super().__init__()
        self.latent = ResBlock(in_channels=cap, out_channels=cap, hidden=cap)
        self.up, self.outputs = nn.ModuleDict(), nn.ModuleDict()
        width = cap
        for level in reversed(range(reductions)):
            after = min(base * 2**level, cap)
            image = 3 if level < ATTENTION_LEVEL else 0  # the image of the coarser scale
            self.up[str(level)] = ResBlockUp(in_channels=width + image, out_channels=after)
            if level <= ATTENTION_LEVEL:
                self.outputs[str(level)] = OutputBlock(in_channels=after)
            width = after
        self.attention = ShortLongTermAttention(channels=min(base * 2**ATTENTION_LEVEL, cap))

    def forward(
        self, latent: Tensor, features: Tensor, early: Tensor, valid: Tensor
    ) -> list[Tensor]:
        """Args:
            latent: B×Z×h×w.
            features, early: the encoder's features of the visible part.
            valid: B×1×H×W, 1 = visible.

        Returns:
            Four images B×3×·×· in [-1, 1], smallest first; the last is the result.
        """
        x = features + self.latent(latent)
        images: list[Tensor] = []
        for level, up in self.up.items():
            x = up(cat([x, images[-1]], dim=1) if images else x)
            if level == str(ATTENTION_LEVEL):
                x = self.attention(x, early, resize(valid, early.shape[-1]))
            if level in self.outputs:
                images.append(self.outputs[level](x))
        return images


class Discriminator(nn.Module):
    """Discriminator for whole images; its last convolution is not padded.

    The authors' module also contains a merging block and an α that are never used. We omit them,
    so it has 1,099,554 parameters instead of 1,575,075.
    """

    def __init__(self, *, reductions: int, base: int, cap: int) -> None:
        super().__init__()
        widths = [min(base * 2**level, cap) for level in range(reductions)]
        layers: list[nn.Module] = [StartBlock(in_channels=3, out_channels=base)]
        for level, (outer, inner) in enumerate(pairwise(widths), start=2):
            layers.append(ResBlock(in_channels=outer, out_channels=inner, hidden=outer, down=True))
            if level == ATTENTION_LEVEL:
                layers.append(SelfAttention(channels=inner))
        layers.append(ResBlock(in_channels=cap, out_channels=cap, hidden=cap))
        layers.append(nn.LeakyReLU(SLOPE))
        layers.append(convolution(cap, 1, 3, padding=0))
        self.layers = nn.Sequential(*layers)

    def forward(self, image: Tensor) -> Tensor:
        """Args: image B×3×H×W. Returns logits B×1×(H/2^n − 2)×(W/2^n − 2)."""
        # On a CPU, convolutions take a fifth less time in this format; no layer here needs another.
        logits: Tensor = self.layers(image.contiguous(memory_format=channels_last))
        return logits


def resize(x: Tensor, size: int) -> Tensor:
    """Resize bilinearly with aligned corners, as the authors do for images and masks."""
    return F.interpolate(x, size=(size, size), mode="bilinear", align_corners=True)


def _gaussian(parameters: Tensor) -> Gaussian:
    mean, deviation = parameters.float().chunk(2, dim=1)
    return Gaussian(mean, F.softplus(deviation).clamp(min=DEVIATION_FLOOR))
