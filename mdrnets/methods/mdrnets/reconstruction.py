"""The reconstruction network, whose encoder E_r measures coordination in the InCo² loss.

MDRNets (https://arxiv.org/abs/2204.02824), section 3.4: an encoder-decoder trained to reconstruct
uncorrupted faces, then frozen. The paper does not describe its layers; we chose them.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn

from mdrnets.config.marks import Chosen, Paper
from mdrnets.config.options import TrainOptions
from mdrnets.errors import UserError
from mdrnets.losses.perceptual import perceptual_loss
from mdrnets.methods.base import Batch, BuildContext, Phase, Trainable, Update
from mdrnets.networks.features import PerceptualFeatures
from mdrnets.networks.instance_norm import InstanceNorm2d

TAPS: Annotated[tuple[str, ...], Chosen("VGG-16, as in MDRNets")] = (
    "relu1_2",
    "relu2_2",
    "relu3_3",
    "relu4_3",
)


class Options(TrainOptions):
    """Layers, losses and optimiser of the reconstruction network."""

    batch_size: Annotated[PositiveInt, Paper()] = 8
    width: Annotated[PositiveInt, Chosen("layers not stated")] = 64
    downsamplings: Annotated[PositiveInt, Chosen("the middle layer is at H/8")] = 3
    blocks: Annotated[NonNegativeInt, Chosen("residual blocks on each side of the middle")] = 2
    l1_weight: Annotated[NonNegativeFloat, Chosen("the other weight is relative to it")] = 1.0
    perceptual_weight: Annotated[NonNegativeFloat, Chosen("as in MDRNets")] = 0.05
    lr: Annotated[PositiveFloat, Paper()] = 2e-4
    beta1: Annotated[float, Field(ge=0, lt=1), Paper()] = 0.9
    beta2: Annotated[float, Field(ge=0, lt=1), Paper()] = 0.99


class Reconstruction(Trainable):
    """Image → middle layer → image, without skip connections.

    With skip connections the image could bypass the middle layer, which then would not need to
    describe it.
    """

    def __init__(self, *, options: Options, features: PerceptualFeatures) -> None:
        super().__init__()
        self.options = options
        self.register_frozen("features", features)
        self.channels = _widths(options)[-1]  # c_r
        self.encoder = _encoder(options)
        self.decoder = _decoder(options)

    def encode(self, image: Tensor) -> Tensor:
        """E_r. Args: image B×3×H×W in [-1, 1].

        Returns B×c_r×h×w with h = H / 2^downsamplings. Gradients flow to the image, even if
        frozen.
        """
        features: Tensor = self.encoder(image)
        return features

    def forward(self, image: Tensor) -> Tensor:
        """Args: image B×3×H×W in [-1, 1]. Returns its reconstruction, B×3×H×W in [-1, 1]."""
        output: Tensor = self.decoder(self.encode(image))
        return output

    def phases(self) -> Sequence[Phase]:
        options = self.options
        adam = torch.optim.Adam(
            self.parameters(), lr=options.lr, betas=(options.beta1, options.beta2)
        )
        return [
            Phase(
                name="reconstruction",
                steps=options.steps,
                batch_size=options.batch_size,
                optimisers={"reconstruction": adam},
                train_step=self._train_step,
            )
        ]

    def _train_step(self, batch: Batch) -> Iterator[Update]:
        features = self.frozen("features")
        output = self(batch.image)
        target = features(batch.image, TAPS)
        yield Update(
            optimiser="reconstruction",
            terms={
                "l1": self.options.l1_weight * F.l1_loss(output, batch.image),
                "perceptual": self.options.perceptual_weight
                * perceptual_loss(features(output, TAPS), target),
            },
        )


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions with instance normalisation, added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            InstanceNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            InstanceNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Args: x B×channels×h×w. Returns the same shape."""
        output: Tensor = x + self.body(x)
        return output


def build(*, options: Options, context: BuildContext) -> Reconstruction:
    """Build the untrained network.

    Raises:
        UserError: the image size cannot be halved that often, or the middle layer would be
            smaller than 2×2.
    """
    smallest = 2 ** (options.downsamplings + 1)  # instance normalisation needs two values
    if context.image_size < smallest or context.image_size % 2**options.downsamplings:
        raise UserError(
            f"downsamplings: found {options.downsamplings} for images of {context.image_size} "
            f"pixels, expected a multiple of {2**options.downsamplings} that is at least "
            f"{smallest}; lower it, or choose another image size"
        )
    return Reconstruction(options=options, features=context.features("vgg16"))


def _widths(options: Options) -> list[int]:
    """Channels at each resolution, from the image's to the middle layer's: 64, 128, 256, 256."""
    return [options.width * min(2**level, 4) for level in range(options.downsamplings + 1)]


def _encoder(options: Options) -> nn.Sequential:
    widths = _widths(options)
    # No normalisation in the first layer: it would remove the image's mean colour.
    layers: list[nn.Module] = [nn.Conv2d(3, widths[0], 7, padding=3), nn.ReLU()]
    for before, after in pairwise(widths):
        layers += [
            nn.Conv2d(before, after, 4, stride=2, padding=1),
            InstanceNorm2d(after),
            nn.ReLU(),
        ]
    layers += [ResidualBlock(widths[-1]) for _ in range(options.blocks)]
    return nn.Sequential(*layers)


def _decoder(options: Options) -> nn.Sequential:
    """Mirror the encoder; upsampling by pixel duplication avoids checkerboard artefacts."""
    widths = _widths(options)[::-1]
    layers: list[nn.Module] = [ResidualBlock(widths[0]) for _ in range(options.blocks)]
    for before, after in pairwise(widths):
        layers += [
            nn.Upsample(scale_factor=2),
            nn.Conv2d(before, after, 3, padding=1),
            InstanceNorm2d(after),
            nn.ReLU(),
        ]
    layers += [nn.Conv2d(widths[-1], 3, 7, padding=3), nn.Tanh()]
    return nn.Sequential(*layers)
