"""ICT: a transformer samples a small image of the missing part, and a CNN upsamples it.

Wan et al., "High-Fidelity Pluralistic Image Completion with Transformers" (ICCV 2021,
https://arxiv.org/abs/2103.14031). The two phases are trained separately; only the first is
stochastic. Images and holes are the same as for all methods, without the authors' crops.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.optim import Adam, AdamW
from torch.optim.lr_scheduler import LambdaLR

from mdrnets.config.marks import Chosen, Official
from mdrnets.config.options import Options as BaseOptions
from mdrnets.config.options import TrainOptions
from mdrnets.errors import UserError
from mdrnets.losses.adversarial import discriminator_loss, generator_loss
from mdrnets.losses.perceptual import gram_style_loss, perceptual_loss
from mdrnets.methods.base import Batch, BuildContext, Method, Phase, Trainable, Update
from mdrnets.methods.ict.palette import dequantise, fit_palette, quantise, reduce_to_grid
from mdrnets.methods.ict.transformer import (
    AppearanceTransformer,
    masked_cross_entropy,
    sample_masked,
)
from mdrnets.methods.ict.upsampler import INIT_STD, REDUCTION, GuidedUpsampler
from mdrnets.methods.image_size import require_multiple
from mdrnets.networks.frozen import without_weight_gradients
from mdrnets.networks.patchgan import PatchDiscriminator

CONTENT_TAPS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")  # of VGG-19
STYLE_TAPS = ("relu2_2", "relu3_4", "relu4_4", "relu5_2")
# Lower bound of the mean hole area, by which L1 is divided.
HOLE_FLOOR: Annotated[float, Chosen("lower bound of the divisor of L1")] = 1e-3
RATE_FLOOR = 0.1  # of the cosine schedule


class Weights(BaseOptions):
    """Weights of the upsampler's loss terms."""

    l1: Annotated[NonNegativeFloat, Official("code; divided by the mean of the hole")] = 1.0
    adversarial: Annotated[NonNegativeFloat, Official("code")] = 0.1
    content: Annotated[NonNegativeFloat, Official("code")] = 0.1
    style: Annotated[NonNegativeFloat, Official("code")] = 250.0


class Options(TrainOptions):
    """The published networks for faces, at 256²."""

    takes_epochs = False

    batch_size: Annotated[PositiveInt, Official("code; of the upsampler")] = 32
    prior_batch_size: Annotated[PositiveInt, Official("code; of the transformer")] = 64
    prior_share: Annotated[
        float, Field(gt=0, lt=1), Chosen("the authors count epochs, then steps")
    ] = 0.5
    grid: Annotated[int, Field(ge=4), Official("code")] = 48
    colours: Annotated[int, Field(ge=2), Official("code")] = 512
    width: Annotated[int, Field(ge=8), Official("code")] = 512
    heads: Annotated[PositiveInt, Official("code")] = 8
    blocks: Annotated[PositiveInt, Official("code")] = 30
    upsampler_base: Annotated[PositiveInt, Official("code")] = 64
    upsampler_blocks: Annotated[PositiveInt, Official("code")] = 8
    # Factor of the standard deviation of the upsampler's initial weights.
    init_gain: Annotated[PositiveFloat, Official("code: a deviation of 0.02")] = 1.0
    discriminator_base: Annotated[PositiveInt, Official("code")] = 64
    prior_lr: Annotated[PositiveFloat, Official("code; AdamW 0.9, 0.95, no decay")] = 3e-4
    warm_up_share: Annotated[float, Field(ge=0, lt=1), Official("code: 1 epoch of 100")] = 0.01
    clip: Annotated[PositiveFloat, Official("code: norm of the transformer's gradient")] = 1.0
    lr: Annotated[PositiveFloat, Official("code; Adam 0, 0.9")] = 1e-4
    discriminator_lr_ratio: Annotated[PositiveFloat, Official("code")] = 0.1
    top_k: Annotated[PositiveInt, Official("code: run script")] = 40
    temperature: Annotated[PositiveFloat, Official("code")] = 1.0
    chunk: Annotated[PositiveInt, Official("code")] = 1  # cells sampled in one forward pass
    weights: Weights = Weights()


class ICT(Method):
    """Palette, transformer, upsampler and the upsampler's discriminator."""

    palette: Tensor

    def __init__(self, *, options: Options, context: BuildContext) -> None:
        super().__init__()
        self.transformer = AppearanceTransformer(
            cells=options.grid**2,
            colours=options.colours,
            width=options.width,
            heads=options.heads,
            blocks=options.blocks,
        )
        self.upsampler = GuidedUpsampler(
            base=options.upsampler_base,
            blocks=options.upsampler_blocks,
            init_gain=options.init_gain,
        )
        self.discriminator = PatchDiscriminator(in_channels=3, base=options.discriminator_base)
        for weight in self.discriminator.parameters():
            nn.init.normal_(weight, 0, INIT_STD)
        self.register_buffer("palette", torch.zeros(options.colours, 3))  # in [0, 255]
        self.register_frozen("features", context.features("vgg19"))
        self.options, self.image_size = options, context.image_size

    def phases(self) -> Sequence[Phase]:
        options = self.options
        prior_steps = max(1, round(options.steps * options.prior_share))

        parameters = list(self.transformer.parameters())
        prior_adam = AdamW(parameters, lr=options.prior_lr, betas=(0.9, 0.95), weight_decay=0)

        def clip(*_: object) -> None:
            nn.utils.clip_grad_norm_(parameters, options.clip)

        prior_adam.register_step_pre_hook(clip)
        phases = [
            Phase(
                name="prior",
                steps=prior_steps,
                batch_size=options.prior_batch_size,
                optimisers={"transformer": prior_adam},
                schedulers={
                    "transformer": LambdaLR(
                        prior_adam, warm_up_and_cosine(prior_steps, options.warm_up_share)
                    )
                },
                train_step=self._prior_step,
                on_start=self._fit_palette,
            ),
            Phase(
                name="upsampler",
                steps=options.steps - prior_steps,
                batch_size=options.batch_size,
                optimisers={
                    "discriminator": Adam(
                        self.discriminator.parameters(),
                        lr=options.lr * options.discriminator_lr_ratio,
                        betas=(0.0, 0.9),
                    ),
                    "upsampler": Adam(self.upsampler.parameters(), lr=options.lr, betas=(0.0, 0.9)),
                },
                train_step=self._upsampler_step,
            ),
        ]
        return [phase for phase in phases if phase.steps > 0]

    def _fit_palette(self, images: np.ndarray) -> None:
        options = self.options
        seed = int(torch.randint(2**31, ()).item())
        try:
            palette = fit_palette(images, grid=options.grid, colours=options.colours, seed=seed)
        except ValueError as error:
            raise UserError(f"colours: {error}; lower it") from None
        self.palette.copy_(torch.from_numpy(palette))

    def _prior_step(self, batch: Batch) -> Iterator[Update]:
        _, masked = reduce_to_grid(batch.image, batch.hole, self.options.grid)
        tokens = self._tokens(batch.image)
        logits = self.transformer(tokens, masked)
        yield Update("transformer", {"nll": masked_cross_entropy(logits, tokens, masked)})

    def _upsampler_step(self, batch: Batch) -> Iterator[Update]:
        weights, hole = self.options.weights, batch.hole
        image = (batch.image + 1) / 2
        # From the complete image, as if the transformer were perfect.
        prior = self._prior(self._tokens(batch.image))
        output = self.upsampler(image, hole, prior)

        d_real, d_fake = self.discriminator(image), self.discriminator(output.detach())
        yield Update(
            "discriminator",
            {"discriminator": discriminator_loss(d_real, d_fake, kind="bce")},
        )

        l1 = weights.l1 * F.l1_loss(output, image) / hole.mean().clamp(min=HOLE_FLOOR)
        with without_weight_gradients(self.discriminator):
            d_logits = self.discriminator(output)
        features = self.frozen("features")
        with torch.no_grad():
            content = features(image, CONTENT_TAPS, normalise=False)
            style = features(image * hole, STYLE_TAPS, normalise=False)
        yield Update(
            "upsampler",
            {
                "l1": l1,
                "adversarial": weights.adversarial * generator_loss(d_logits, kind="bce"),
                "content": weights.content
                * perceptual_loss(features(output, CONTENT_TAPS, normalise=False), content),
                "style": weights.style
                * gram_style_loss(features(output * hole, STYLE_TAPS, normalise=False), style),
            },
        )

    def complete(self, masked: Tensor, hole: Tensor, generator: torch.Generator) -> Tensor:
        options = self.options
        colours, missing = reduce_to_grid(masked, hole, options.grid)
        tokens = sample_masked(
            self.transformer,
            quantise(colours, self.palette),
            missing,
            generator=generator,
            top_k=options.top_k,
            temperature=options.temperature,
            chunk=options.chunk,
        )
        image = (masked + 1) / 2
        output: Tensor = self.upsampler(image, hole, self._prior(tokens))
        return output * 2 - 1

    def _tokens(self, image: Tensor) -> Tensor:
        """Return the tokens of the complete image, B×N."""
        colours, _ = reduce_to_grid(image, torch.zeros_like(image[:, :1]), self.options.grid)
        return quantise(colours, self.palette)

    def _prior(self, tokens: Tensor) -> Tensor:
        """Convert B×N tokens to an image of full size, B×3×H×W in [0, 1]."""
        small = dequantise(tokens, self.palette, self.options.grid) / 255
        size = (self.image_size, self.image_size)
        # `antialias` selects PIL's bicubic filter, as the authors use; PyTorch's own is sharper.
        return F.interpolate(small, size=size, mode="bicubic", antialias=True).clamp(0, 1)


def build(*, options: Options, context: BuildContext) -> Trainable:
    """Build the method.

    Raises:
        UserError: sizes do not fit together.
    """
    if options.width % options.heads:
        raise UserError(
            f"heads: found {options.heads}, expected a divisor of the width {options.width}; "
            "change one of them"
        )
    if options.grid > context.image_size:
        raise UserError(
            f"grid: found {options.grid} cells for {context.image_size} pixels, expected at most "
            "one cell per pixel; lower it"
        )
    require_multiple(context.image_size, REDUCTION, "image_size")
    return ICT(options=options, context=context)


def warm_up_and_cosine(steps: int, warm_up_share: float) -> Callable[[int], float]:
    """Compute the factor of the learning rate: linear warm-up, then cosine decay to 0.1."""
    warm_up = max(1, round(steps * warm_up_share))

    def factor(step: int) -> float:
        if step < warm_up:
            return (step + 1) / warm_up
        progress = min(1.0, (step - warm_up) / max(1, steps - warm_up))
        return max(RATE_FLOOR, 0.5 * (1 + math.cos(math.pi * progress)))

    return factor
