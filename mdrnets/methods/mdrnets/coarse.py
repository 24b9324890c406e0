"""The coarse network: a U-Net of partial convolutions, trained first and frozen.

MDRNets (https://arxiv.org/abs/2204.02824), section 3.1, after Liu et al. 2018 (PConv). It has
the network and the loss of PConv (the row in Table 1), but its own schedule: one phase, with the
optimiser of MDRNets.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated

import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor

from mdrnets.config.marks import Cited, Paper
from mdrnets.config.options import TrainOptions
from mdrnets.losses.pconv import PConvLoss, PConvWeights
from mdrnets.methods.base import Batch, BuildContext, Phase, Trainable, Update
from mdrnets.methods.image_size import require_halvings
from mdrnets.networks.features import PerceptualFeatures
from mdrnets.networks.partial_unet import PartialUNet


class Options(TrainOptions):
    """Layers, loss and optimiser of the coarse network."""

    batch_size: Annotated[PositiveInt, Paper()] = 8
    levels: Annotated[PositiveInt, Cited("PConv, for 256²")] = 7  # bottleneck of 2×2
    width: Annotated[PositiveInt, Cited("PConv")] = 64
    max_width: Annotated[PositiveInt, Cited("PConv")] = 512
    weights: Annotated[PConvWeights, Cited("PConv, equation 7")] = PConvWeights()
    lr: Annotated[PositiveFloat, Paper()] = 2e-4
    beta1: Annotated[float, Field(ge=0, lt=1), Paper()] = 0.9
    beta2: Annotated[float, Field(ge=0, lt=1), Paper()] = 0.99


class Coarse(Trainable):
    """Masked image and hole → coarse face."""

    def __init__(
        self, *, network: PartialUNet, features: PerceptualFeatures, options: Options
    ) -> None:
        super().__init__()
        self.network, self.options = network, options
        self.loss = PConvLoss(
            features=self.register_frozen("features", features), weights=options.weights
        )

    def forward(self, masked: Tensor, hole: Tensor) -> Tensor:
        """Return P, before compositing.

        Args:
            masked: B×3×H×W in [-1, 1]; values in the hole are ignored.
            hole: B×1×H×W, 1 = missing.

        Returns:
            B×3×H×W, not restricted to [-1, 1]. Gradients flow to `masked`, even if frozen.
        """
        output: Tensor = self.network(masked, hole)
        return output

    def phases(self) -> Sequence[Phase]:
        options = self.options
        adam = torch.optim.Adam(
            self.parameters(), lr=options.lr, betas=(options.beta1, options.beta2)
        )
        return [
            Phase(
                name="coarse",
                steps=options.steps,
                batch_size=options.batch_size,
                optimisers={"coarse": adam},
                train_step=self._train_step,
            )
        ]

    def _train_step(self, batch: Batch) -> Iterator[Update]:
        output = self(batch.masked, batch.hole)
        terms = self.loss(output=output, image=batch.image, hole=batch.hole)
        yield Update(optimiser="coarse", terms=terms)


def build(*, options: Options, context: BuildContext) -> Coarse:
    """Build the untrained network.

    Raises:
        UserError: the image size cannot be halved `levels` times, to 2×2 pixels or more.
    """
    require_halvings(context.image_size, options.levels, "levels")
    network = PartialUNet(levels=options.levels, width=options.width, max_width=options.max_width)
    return Coarse(network=network, features=context.features("vgg16"), options=options)
