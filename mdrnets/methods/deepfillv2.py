"""DeepFillv2: gated convolutions in two stages, contextual attention, SN-PatchGAN.

Yu et al., "Free-Form Image Inpainting with Gated Convolution" (ICCV 2019,
https://arxiv.org/abs/1806.03589), with the layer tables of the authors' code, v2.0.0.

The authors train with free-form strokes and a rectangle as masks. Here every method is trained
with the same irregular masks, so that Table 1 compares methods and not masks.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.optim import Adam

from mdrnets.config.marks import Official, Paper
from mdrnets.config.options import TrainOptions
from mdrnets.losses.adversarial import discriminator_loss, generator_loss
from mdrnets.methods.base import Batch, BuildContext, Method, Phase, Trainable, Update
from mdrnets.methods.image_size import require_multiple
from mdrnets.networks.composite import composite
from mdrnets.networks.contextual_attention import ContextualAttention
from mdrnets.networks.frozen import without_weight_gradients
from mdrnets.networks.gated_conv import GatedConv2d
from mdrnets.networks.sn_patchgan import SNPatchGAN

REDUCTION = 8  # H and W are multiples of it: two strided convolutions and the attention grid


class Options(TrainOptions):
    """The published network and training, at 256²."""

    batch_size: Annotated[PositiveInt, Official("code")] = 16
    # Channels after gating; the official `cnum: 48` counts features and gates.
    width: Annotated[int, Field(ge=2, multiple_of=2), Official("code")] = 24
    dilations: Annotated[tuple[PositiveInt, ...], Field(strict=False), Official("code")] = (
        2,
        4,
        8,
        16,
    )
    # Initially each gate is half open, so a layer halves its input. A gain of 2 compensates for
    # this, which matters if the schedule has only hundreds of steps.
    init_gain: Annotated[PositiveFloat, Official("code: Glorot, uniform")] = 1.0
    discriminator_base: Annotated[PositiveInt, Official("code")] = 64
    discriminator_layers: Annotated[PositiveInt, Paper("§3.3; down to a map of 4×4")] = 6
    l1_weight: Annotated[NonNegativeFloat, Paper("§3.3; for the output of each stage")] = 1.0
    adversarial_weight: Annotated[NonNegativeFloat, Paper("§3.3")] = 1.0
    lr: Annotated[PositiveFloat, Official("code; of both networks")] = 1e-4
    beta1: Annotated[float, Field(ge=0, lt=1), Official("code")] = 0.5
    beta2: Annotated[float, Field(ge=0, lt=1), Official("code")] = 0.999


class CoarseNetwork(nn.Sequential):
    """Stage 1, 17 layers: encoder, layers of increasing dilation, decoder; no skip connections."""

    def __init__(self, *, width: int, dilations: Sequence[int]) -> None:
        c = width
        super().__init__(
            GatedConv2d(5, c, kernel_size=5),
            GatedConv2d(c, 2 * c, stride=2),
            GatedConv2d(2 * c, 2 * c),
            GatedConv2d(2 * c, 4 * c, stride=2),
            GatedConv2d(4 * c, 4 * c),
            GatedConv2d(4 * c, 4 * c),
            *(GatedConv2d(4 * c, 4 * c, dilation=dilation) for dilation in dilations),
            *_decoder(4 * c, c),
        )


class RefinementNetwork(nn.Module):
    """Stage 2, 25 layers: two parallel encoders, one with dilations, one with attention."""

    def __init__(self, *, width: int, dilations: Sequence[int]) -> None:
        super().__init__()
        c = width
        self.dilated = nn.Sequential(
            GatedConv2d(3, c, kernel_size=5),
            GatedConv2d(c, c, stride=2),
            GatedConv2d(c, 2 * c),
            GatedConv2d(2 * c, 2 * c, stride=2),
            GatedConv2d(2 * c, 4 * c),
            GatedConv2d(4 * c, 4 * c),
            *(GatedConv2d(4 * c, 4 * c, dilation=dilation) for dilation in dilations),
        )
        self.before_attention = nn.Sequential(
            GatedConv2d(3, c, kernel_size=5),
            GatedConv2d(c, c, stride=2),
            GatedConv2d(c, 2 * c),
            GatedConv2d(2 * c, 4 * c, stride=2),
            GatedConv2d(4 * c, 4 * c),
            GatedConv2d(4 * c, 4 * c, activation=nn.ReLU()),
        )
        self.attention = ContextualAttention()
        self.after_attention = nn.Sequential(GatedConv2d(4 * c, 4 * c), GatedConv2d(4 * c, 4 * c))
        self.decoder = nn.Sequential(*_decoder(8 * c, c))

    def forward(self, filled: Tensor, hole: Tensor) -> Tensor:
        """Args: filled B×3×H×W, with the coarse result in the hole; hole B×1×H×W.

        Returns B×3×H×W in [-1, 1].
        """
        dilated = self.dilated(filled)  # B×4c×H/4×W/4
        features = self.before_attention(filled)  # B×4c×H/4×W/4
        attended = self.after_attention(self.attention(features, features, hole))
        output: Tensor = self.decoder(torch.cat([dilated, attended], dim=1))
        return output


class Generator(nn.Module):
    """Both stages. The second receives the first's result in the hole, with gradients."""

    def __init__(self, *, width: int, dilations: Sequence[int], init_gain: float = 1.0) -> None:
        super().__init__()
        self.coarse = CoarseNetwork(width=width, dilations=dilations)
        self.refinement = RefinementNetwork(width=width, dilations=dilations)

        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.xavier_uniform_(module.weight, gain=init_gain)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def forward(self, masked: Tensor, hole: Tensor) -> tuple[Tensor, Tensor]:
        """Args: masked B×3×H×W in [-1, 1], ignored in the hole; hole B×1×H×W, 1 = missing.

        H and W are multiples of 8. Returns the coarse and the refined image, B×3×H×W in [-1, 1].
        """
        masked = masked * (1 - hole)
        ones = torch.ones_like(hole)  # ones, so that zero padding marks the image border
        coarse = self.coarse(torch.cat([masked, ones, hole], dim=1))
        refined = self.refinement(composite(masked, coarse, hole), hole)
        return coarse, refined


class DeepFillv2(Method):
    """Each step updates the discriminator (on composites), then the generator, on one batch."""

    def __init__(
        self, *, generator: Generator, discriminator: SNPatchGAN, options: Options
    ) -> None:
        super().__init__()
        self.generator, self.discriminator, self.options = generator, discriminator, options

    def phases(self) -> Sequence[Phase]:
        options = self.options

        def adam(network: nn.Module) -> Adam:
            betas = (options.beta1, options.beta2)
            return Adam(network.parameters(), lr=options.lr, betas=betas)

        return [
            Phase(
                name="adversarial",
                steps=options.steps,
                batch_size=options.batch_size,
                optimisers={
                    "generator": adam(self.generator),
                    "discriminator": adam(self.discriminator),
                },
                train_step=self._train_step,
            )
        ]

    def _train_step(self, batch: Batch) -> Iterator[Update]:
        image, hole, options = batch.image, batch.hole, self.options
        coarse, refined = self.generator(batch.masked, hole)
        fake = composite(image, refined, hole)

        both = torch.cat([self._with_hole(image, hole), self._with_hole(fake.detach(), hole)])
        real_logits, fake_logits = self.discriminator(both).chunk(2)
        loss = discriminator_loss(real_logits, fake_logits, kind="hinge")
        yield Update("discriminator", {"discriminator": loss})

        with without_weight_gradients(self.discriminator):
            fake_logits = self.discriminator(self._with_hole(fake, hole))
        adversarial = generator_loss(fake_logits, kind="hinge")
        yield Update(
            "generator",
            {
                "l1_coarse": options.l1_weight * (image - coarse).abs().mean(),
                "l1_refined": options.l1_weight * (image - refined).abs().mean(),
                "adversarial": options.adversarial_weight * adversarial,
            },
        )

    @staticmethod
    def _with_hole(image: Tensor, hole: Tensor) -> Tensor:
        """Return the discriminator's input, B×4×H×W."""
        return torch.cat([image, hole], dim=1)

    def complete(self, masked: Tensor, hole: Tensor, generator: torch.Generator) -> Tensor:
        _, refined = self.generator(masked, hole)
        output: Tensor = refined
        return output


def build(*, options: Options, context: BuildContext) -> Trainable:
    require_multiple(context.image_size, REDUCTION, "image_size")
    return DeepFillv2(
        generator=Generator(
            width=options.width, dilations=options.dilations, init_gain=options.init_gain
        ),
        discriminator=SNPatchGAN(
            in_channels=4, base=options.discriminator_base, layers=options.discriminator_layers
        ),
        options=options,
    )


def _decoder(in_channels: int, c: int) -> list[nn.Module]:
    """The last seven layers of each stage, from 1/4 of the size to the image."""
    return [
        GatedConv2d(in_channels, 4 * c),
        GatedConv2d(4 * c, 4 * c),
        nn.Upsample(scale_factor=2),
        GatedConv2d(4 * c, 2 * c),
        GatedConv2d(2 * c, 2 * c),
        nn.Upsample(scale_factor=2),
        GatedConv2d(2 * c, c),
        GatedConv2d(c, c // 2),
        nn.Conv2d(c // 2, 3, kernel_size=3, padding=1),
        nn.Tanh(),
    ]
