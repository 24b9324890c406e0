"""PConv: a U-Net of partial convolutions, trained without a discriminator.

Liu et al., "Image Inpainting for Irregular Holes Using Partial Convolutions" (ECCV 2018,
https://arxiv.org/abs/1804.07723). The authors released the layer, not the U-Net or its training.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated

import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor
from torch.optim import Adam

from mdrnets.config.marks import Chosen, Paper
from mdrnets.config.options import TrainOptions
from mdrnets.losses.pconv import PConvLoss, PConvWeights
from mdrnets.methods.base import Batch, BuildContext, Method, Phase, Trainable, Update
from mdrnets.methods.image_size import require_halvings
from mdrnets.networks.features import PerceptualFeatures
from mdrnets.networks.partial_unet import PartialUNet


class Options(TrainOptions):
    """Network and training at 256². The bottleneck is 2×2, as in the paper's network for 512²."""

    steps: int = Field(ge=2)  # sum of both phases
    batch_size: Annotated[PositiveInt, Paper("§4.1, at 512²")] = 6
    levels: Annotated[PositiveInt, Chosen("a bottleneck of 2×2, as 8 levels at 512²")] = 7
    width: Annotated[PositiveInt, Paper("appendix")] = 64
    max_width: Annotated[PositiveInt, Paper("appendix")] = 512
    weights: Annotated[PConvWeights, Paper("equation 7")] = PConvWeights()
    lr: Annotated[PositiveFloat, Paper("§4.1")] = 2e-4
    finetune_lr: Annotated[PositiveFloat, Paper("§4.1")] = 5e-5
    finetune_fraction: Annotated[float, Field(gt=0, lt=1), Chosen("as in CTSDG")] = 0.3


class PConv(Method):
    """PConv, trained in two phases; the second freezes the BatchNorm layers of the encoder.

    In the first phase, batch statistics include the zeros of the holes. Freezing avoids this
    (section 4.1): a frozen layer uses its running statistics, and its affine parameters are not
    trained.
    """

    def __init__(
        self, *, network: PartialUNet, features: PerceptualFeatures, options: Options
    ) -> None:
        super().__init__()
        self.network, self.options = network, options
        self.loss = PConvLoss(
            features=self.register_frozen("features", features), weights=options.weights
        )

    def phases(self) -> Sequence[Phase]:
        options = self.options
        finetune_steps = max(1, int(options.steps * options.finetune_fraction))

        trained = list(self.network.parameters())
        frozen = {p for norm in self.network.encoder_norms() for p in norm.parameters()}
        finetuned = [p for p in trained if p not in frozen]

        return [
            Phase(
                name="initial",
                steps=options.steps - finetune_steps,
                batch_size=options.batch_size,
                optimisers={"network": Adam(trained, lr=options.lr)},
                train_step=self._train_step,
            ),
            Phase(
                name="finetune",
                steps=finetune_steps,
                batch_size=options.batch_size,
                optimisers={"network": Adam(finetuned, lr=options.finetune_lr)},
                train_step=self._train_step,
                on_enter=self.network.freeze_encoder_norms,
            ),
        ]

    def _train_step(self, batch: Batch) -> Iterator[Update]:
        output = self.network(batch.masked, batch.hole)
        yield Update("network", self.loss(output=output, image=batch.image, hole=batch.hole))

    def complete(self, masked: Tensor, hole: Tensor, generator: torch.Generator) -> Tensor:
        output: Tensor = self.network(masked, hole)
        return output.clamp(-1, 1)  # the network's last layer is linear


def build(*, options: Options, context: BuildContext) -> Trainable:
    require_halvings(context.image_size, options.levels, "levels")
    return PConv(
        network=PartialUNet(
            levels=options.levels, width=options.width, max_width=options.max_width
        ),
        features=context.features("vgg16"),
        options=options,
    )
