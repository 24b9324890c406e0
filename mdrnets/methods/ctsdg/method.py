"""CTSDG: generates texture and structure together, each conditioned on the other.

Guo et al., "Image Inpainting via Conditional Texture and Structure Dual Generation" (ICCV 2021,
https://arxiv.org/abs/2108.09760). Loss weights are those of the authors' code. Unlike the authors,
we flip images; holes are drawn as for all methods.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor
from torch.optim import Adam

from mdrnets.config.marks import Official
from mdrnets.config.options import Options as BaseOptions
from mdrnets.config.options import TrainOptions
from mdrnets.losses.adversarial import discriminator_loss, generator_loss
from mdrnets.losses.perceptual import gram_style_loss, perceptual_loss
from mdrnets.methods.base import Batch, BuildContext, Method, Phase, Trainable, Update
from mdrnets.methods.ctsdg.discriminator import Discriminator
from mdrnets.methods.ctsdg.generator import Generator
from mdrnets.methods.ctsdg.structure import (
    detect_edges,
    detect_visible_edges,
    edges_of_pixels,
    to_grey,
    visible_edges,
)
from mdrnets.methods.image_size import require_multiple
from mdrnets.networks.composite import composite
from mdrnets.networks.features import PerceptualFeatures
from mdrnets.networks.frozen import freeze_norms, without_weight_gradients

TAPS = ("pool1", "pool2", "pool3")  # of VGG-16


class Weights(BaseOptions):
    """Weights of the loss terms, all of which are means over whole images."""

    hole: Annotated[NonNegativeFloat, Official("code")] = 60.0
    valid: Annotated[NonNegativeFloat, Official("code")] = 10.0
    perceptual: Annotated[NonNegativeFloat, Official("code, paper")] = 0.1
    style: Annotated[NonNegativeFloat, Official("code, paper")] = 250.0
    adversarial: Annotated[NonNegativeFloat, Official("code, paper")] = 0.1
    intermediate: Annotated[NonNegativeFloat, Official("code, paper")] = 1.0


class Options(TrainOptions):
    """The published networks and training, at 256²."""

    batch_size: Annotated[int, Field(ge=2), Official("code, paper")] = 6
    levels: Annotated[int, Field(ge=2), Official("code; down to 2×2")] = 7
    width: Annotated[int, Field(ge=4, multiple_of=4), Official("code")] = 64
    discriminator_base: Annotated[PositiveInt, Official("code")] = 64
    # For smaller images we choose 1.5 and 1.0.
    edge_sigma: Annotated[PositiveFloat, Official("code, at 256²")] = 2.0
    lr: Annotated[PositiveFloat, Official("code")] = 2e-4
    fine_tune_lr: Annotated[PositiveFloat, Official("code")] = 5e-5
    fine_tune_share: Annotated[float, Field(gt=0, lt=1), Official("advice: 150k of 500k steps")] = (
        0.3
    )
    discriminator_lr_ratio: Annotated[PositiveFloat, Official("code")] = 0.1
    weights: Weights = Weights()


class CTSDG(Method):
    """CTSDG, trained in two phases; fine-tuning uses frozen BatchNorm statistics."""

    least_images = 2  # BatchNorm at the bottleneck

    def __init__(
        self,
        *,
        generator: Generator,
        discriminator: Discriminator,
        options: Options,
        features: PerceptualFeatures,
    ) -> None:
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.register_frozen("features", features)
        self.options = options

    def phases(self) -> Sequence[Phase]:
        steps = self.options.steps
        fine_tune = round(steps * self.options.fine_tune_share)
        phases = [
            self._phase("train", steps - fine_tune, self.options.lr),
            self._phase("fine_tune", fine_tune, self.options.fine_tune_lr),
        ]
        phases[1].on_enter = lambda: freeze_norms(self.generator)  # as the article does
        return [phase for phase in phases if phase.steps > 0]

    def _phase(self, name: str, steps: int, lr: float) -> Phase:
        return Phase(
            name=name,
            steps=steps,
            batch_size=self.options.batch_size,
            optimisers={
                "generator": Adam(self.generator.parameters(), lr=lr),
                "discriminator": Adam(
                    self.discriminator.parameters(), lr=lr * self.options.discriminator_lr_ratio
                ),
            },
            train_step=self._step,
            image_map=partial(edges_of_pixels, sigma=self.options.edge_sigma),
        )

    def _step(self, batch: Batch) -> Iterator[Update]:
        weights, discriminator = self.options.weights, self.discriminator
        image, hole = batch.image, batch.hole
        grey_01 = to_grey(image)
        # The target is the edges of the complete image, the input those that completion shows.
        edge = batch.image_map
        if edge is None:  # a batch that no sampler made
            edge = detect_edges(grey_01, sigma=self.options.edge_sigma)
        shown = visible_edges(edge, hole)
        generated = self.generator(batch.masked, shown, grey_01 * (1 - hole), hole)
        output = generated.image
        composed = composite(image, output, hole)

        with without_weight_gradients(discriminator):
            edge_logits = discriminator.edge_detector(output)
            d_logits = discriminator(output, grey_01, edge_logits.sigmoid())
        features = self.frozen("features")
        with torch.no_grad():
            target = features(image, TAPS, normalise=False)
        image_maps = features(output, TAPS, normalise=False)
        composite_maps = features(composed, TAPS, normalise=False)
        yield Update(
            "generator",
            {
                "hole": weights.hole * F.l1_loss(output * hole, image * hole),
                "valid": weights.valid * F.l1_loss(output * (1 - hole), image * (1 - hole)),
                "perceptual": weights.perceptual
                * (perceptual_loss(image_maps, target) + perceptual_loss(composite_maps, target)),
                "style": weights.style
                * (gram_style_loss(image_maps, target) + gram_style_loss(composite_maps, target)),
                "adversarial": weights.adversarial
                * (generator_loss(d_logits, kind="bce") + _edge_loss(edge_logits, edge)),
                "intermediate": weights.intermediate
                * (
                    _edge_loss(generated.projected_edge, edge)
                    + F.l1_loss(generated.projected_image, image)
                ),
            },
        )

        fake = output.detach()
        edge_logits = discriminator.edge_detector(fake)
        d_fake = discriminator(fake, grey_01, edge_logits.sigmoid())
        d_real = discriminator(image, grey_01, edge)
        yield Update(
            "discriminator",
            {
                "discriminator": 2 * discriminator_loss(d_real, d_fake, kind="bce"),
                "edges_of_fake": _edge_loss(edge_logits, edge),
                "edges_of_real": _edge_loss(discriminator.edge_detector(image), edge),
            },
        )

    def complete(self, masked: Tensor, hole: Tensor, generator: torch.Generator) -> Tensor:
        valid = 1 - hole
        edge = detect_visible_edges(masked, hole, sigma=self.options.edge_sigma)
        generated = self.generator(masked * valid, edge, to_grey(masked) * valid, hole)
        image: Tensor = generated.image
        return image


def build(*, options: Options, context: BuildContext) -> Trainable:
    """Build the method.

    Raises:
        UserError: the image size is not a multiple of 2^levels.
    """
    require_multiple(context.image_size, 2**options.levels, "levels")
    return CTSDG(
        generator=Generator(levels=options.levels, width=options.width),
        discriminator=Discriminator(base=options.discriminator_base),
        options=options,
        features=context.features("vgg16"),
    )


def _edge_loss(logits: Tensor, edge: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, edge)
