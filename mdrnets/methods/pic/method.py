"""PIC: pluralistic completion by two paths; in training, one of them sees the hidden part.

Zheng et al., "Pluralistic Image Completion" (CVPR 2019, https://arxiv.org/abs/1903.04227). Where
the authors' code and the article differ (direction of the first KL term), we follow the code.
Images and holes are the same as for all methods, without the authors' crops, rotations and masks.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated

import torch
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor
from torch.nn.utils.parametrize import cached
from torch.optim import Adam

from mdrnets.config.marks import Chosen, Official, Paper
from mdrnets.config.options import Options as BaseOptions
from mdrnets.config.options import TrainOptions
from mdrnets.errors import UserError
from mdrnets.losses.adversarial import discriminator_loss, generator_loss
from mdrnets.methods.base import Batch, BuildContext, Method, Phase, Trainable, Update
from mdrnets.methods.pic.networks import (
    ATTENTION_LEVEL,
    SCALES,
    Discriminator,
    Encoder,
    Gaussian,
    Generator,
    resize,
)
from mdrnets.networks.composite import composite
from mdrnets.networks.frozen import without_weight_gradients
from mdrnets.networks.precision import full_precision


class Weights(BaseOptions):
    """Weights of the loss terms, all of which are means."""

    reconstruction: Annotated[NonNegativeFloat, Paper("of each scale")] = 20.0
    kl: Annotated[NonNegativeFloat, Paper("times the number of scales in the code")] = 20.0
    adversarial: Annotated[NonNegativeFloat, Paper()] = 1.0


class Options(TrainOptions):
    """The published networks and training, at 256²."""

    batch_size: Annotated[PositiveInt, Official("code")] = 8
    # The latent is at H/2^reductions.
    reductions: Annotated[int, Field(ge=4), Official("code")] = 5
    base: Annotated[int, Field(ge=4), Official("code")] = 32
    cap: Annotated[int, Field(ge=4, multiple_of=4), Official("code; also for the latent")] = 128
    infer_blocks: Annotated[NonNegativeInt, Official("code")] = 6
    lr: Annotated[PositiveFloat, Official("code, paper")] = 1e-4
    beta1: Annotated[float, Field(ge=0, lt=1), Official("code, paper")] = 0.0
    beta2: Annotated[float, Field(ge=0, lt=1), Official("code, paper")] = 0.999
    # The authors rank their 50 samples by the discriminator.
    best_of: Annotated[PositiveInt, Chosen("one sample per method; the authors rank 50")] = 1
    weights: Weights = Weights()


class PIC(Method):
    """The reconstructive and the generative path, which share encoder and generator."""

    def __init__(self, *, options: Options) -> None:
        super().__init__()
        sizes = {"reductions": options.reductions, "base": options.base, "cap": options.cap}
        self.encoder = Encoder(**sizes, infer_blocks=options.infer_blocks)
        self.generator = Generator(**sizes)
        self.discriminator = Discriminator(**sizes)  # of the generative path
        self.discriminator_rec = Discriminator(**sizes)  # of the reconstructive path
        self.options = options

    def phases(self) -> Sequence[Phase]:
        options = self.options

        def adam(*networks: torch.nn.Module) -> Adam:
            parameters = [p for network in networks for p in network.parameters()]
            return Adam(parameters, lr=options.lr, betas=(options.beta1, options.beta2))

        return [
            Phase(
                name="train",
                steps=options.steps,
                batch_size=options.batch_size,
                optimisers={
                    "discriminators": adam(self.discriminator, self.discriminator_rec),
                    "generator": adam(self.encoder, self.generator),
                },
                train_step=self._step,
            )
        ]

    def _step(self, batch: Batch) -> Iterator[Update]:
        weights = self.options.weights
        image, hole = batch.image, batch.hole
        valid = 1 - hole

        # One encoder pass for both parts, one generator pass for both paths.
        early, features = self.encoder(torch.cat([batch.masked, image * hole]))
        (early, _), (visible, hidden) = early.chunk(2), features.chunk(2)
        prior = self.encoder.distribution_of_visible(visible)
        posterior = self.encoder.distribution_of_hidden(hidden)
        noise = torch.randn_like(torch.cat([posterior.mean, prior.mean]))
        latent = torch.cat(
            [posterior.sample(noise[: len(image)]), prior.sample(noise[len(image) :])]
        )
        images = self.generator(
            latent, visible.repeat(2, 1, 1, 1), early.repeat(2, 1, 1, 1), valid.repeat(2, 1, 1, 1)
        )
        reconstructed = [scale.chunk(2)[0] for scale in images]
        generated = [scale.chunk(2)[1] for scale in images]

        yield Update(
            "discriminators",
            {
                "discriminator": self._discriminator_loss(
                    self.discriminator, image, generated[-1].detach()
                ),
                "discriminator_rec": self._discriminator_loss(
                    self.discriminator_rec, image, reconstructed[-1].detach()
                ),
            },
        )

        target = [resize(image, scale.shape[-1]) for scale in generated]
        visible_scales = [resize(valid, scale.shape[-1]) for scale in generated]
        with without_weight_gradients(self.discriminator, self.discriminator_rec):
            with cached():  # one σ for both maps
                with torch.no_grad():
                    real_map = full_precision(self.discriminator_rec(image))
                reconstructed_map = full_precision(self.discriminator_rec(reconstructed[-1]))
            generated_logits = self.discriminator(generated[-1])
        kl = weights.kl * SCALES
        yield Update(
            "generator",
            {
                "kl_rec": kl * kl_divergence(hole_size_prior(valid, posterior), posterior),
                "kl_g": kl * kl_divergence(posterior.detach(), prior),
                "reconstruction_rec": weights.reconstruction * sum_of_l1(reconstructed, target),
                # The generative path is compared on visible pixels only.
                "reconstruction_g": weights.reconstruction
                * sum_of_l1(
                    [g * s for g, s in zip(generated, visible_scales, strict=True)],
                    [t * s for t, s in zip(target, visible_scales, strict=True)],
                ),
                "adversarial_g": weights.adversarial
                * generator_loss(generated_logits, kind="lsgan"),
                "matching_rec": weights.adversarial
                * (reconstructed_map - real_map).square().mean(),
            },
        )

    def complete(self, masked: Tensor, hole: Tensor, generator: torch.Generator) -> Tensor:
        early, features = self.encoder(masked * (1 - hole))
        prior = self.encoder.distribution_of_visible(features)
        samples: list[Tensor] = []
        for _ in range(self.options.best_of):
            noise = torch.randn(prior.mean.shape, generator=generator, device=masked.device)
            samples.append(self.generator(prior.sample(noise), features, early, 1 - hole)[-1])
        if len(samples) == 1:
            return samples[0]

        scores = [
            self.discriminator(composite(masked, sample, hole)).mean(dim=(1, 2, 3))
            for sample in samples
        ]
        best = torch.stack(scores).argmax(dim=0)  # B
        return torch.stack(samples)[best, torch.arange(len(masked), device=masked.device)]

    @staticmethod
    def _discriminator_loss(discriminator: Discriminator, real: Tensor, fake: Tensor) -> Tensor:
        logits = discriminator(torch.cat([real, fake]))  # one pass: one σ for both
        return discriminator_loss(*logits.chunk(2), kind="lsgan")


def build(*, options: Options, context: BuildContext) -> Trainable:
    """Build the method.

    Raises:
        UserError: the image is too small for the number of reductions.
    """
    latent = context.image_size / 2**options.reductions
    if latent < 3 or latent != int(latent):
        raise UserError(
            f"reductions: found {options.reductions}, which leaves {latent:g} of "
            f"{context.image_size} pixels, expected an integer of at least 3; lower it"
        )
    widest = options.base * 2 ** (ATTENTION_LEVEL - 1)
    if widest < options.cap:
        raise UserError(
            f"cap: found {options.cap}, expected at most {widest}, the encoder's channels at H/8; "
            "lower it"
        )
    return PIC(options=options)


def hole_size_prior(valid: Tensor, like: Gaussian) -> Gaussian:
    """Return N(0, σ_m²), wider for larger holes. Args: valid B×1×H×W, 1 = visible."""
    share = valid.mean(dim=(1, 2, 3)).view(-1, 1, 1, 1)
    deviation = 1 / (1 + torch.exp(8 * (share - 1e-5 - 0.8)))
    return Gaussian(torch.zeros_like(like.mean), deviation.expand_as(like.deviation))


def kl_divergence(a: Gaussian, b: Gaussian) -> Tensor:
    """KL(a‖b), averaged over all elements."""
    variance = a.deviation.square() + (a.mean - b.mean).square()
    log_ratio = (b.deviation / a.deviation).log()
    return (log_ratio + variance / (2 * b.deviation.square()) - 0.5).mean()


def sum_of_l1(outputs: Sequence[Tensor], targets: Sequence[Tensor]) -> Tensor:
    """Sum over the scales of the mean absolute difference."""
    return torch.stack([(o - t).abs().mean() for o, t in zip(outputs, targets, strict=True)]).sum()
