"""DSI: samples structure codes of the missing part one by one, then generates the texture.

Peng et al., "Generating Diverse Structure for Image Inpainting With Hierarchical VQ-VAE" (CVPR
2021, https://arxiv.org/abs/2103.10022). Three phases; the last two use the frozen VQ-VAE. Images
and holes are the same as for all methods, without the authors' crops, boxes and strokes.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator
from torch import Tensor, nn
from torch.optim import Adam
from torch.optim.lr_scheduler import LambdaLR

from mdrnets.config.marks import Chosen, Official
from mdrnets.config.options import TrainOptions
from mdrnets.losses.adversarial import discriminator_loss, generator_loss
from mdrnets.methods.base import Batch, BuildContext, Method, Phase, Trainable, Update
from mdrnets.methods.dsi.sampling import sample_codes
from mdrnets.methods.dsi.structure import ConditionNetwork, StructurePixelCNN
from mdrnets.methods.dsi.texture import TextureGenerator
from mdrnets.methods.dsi.vqvae import HierarchicalVQVAE, code_loss
from mdrnets.methods.image_size import require_multiple
from mdrnets.networks.averaging import MovingAverage
from mdrnets.networks.composite import composite
from mdrnets.networks.frozen import without_weight_gradients
from mdrnets.networks.sn_patchgan import SNPatchGAN

REDUCTION = 8  # of the structure codes
PUBLISHED_STEPS = 1_000_000  # of the structure generator; its schedule is made for them

DISCRIMINATOR_STD = 0.05  # of initial weights

Dilations = Annotated[tuple[PositiveInt, ...], Field(strict=False)]


class Options(TrainOptions):
    """The published networks and training, at 256²."""

    batch_size: Annotated[PositiveInt, Official("code")] = 8
    vqvae_share: Annotated[float, Field(gt=0, lt=1), Official("code: 1 M steps per phase")] = 1 / 3
    structure_share: Annotated[float, Field(gt=0, lt=1), Official("code")] = 1 / 3
    vqvae_width: Annotated[int, Field(ge=2, multiple_of=2), Official("code")] = 128
    vqvae_hidden: Annotated[PositiveInt, Official("code")] = 64
    codes: Annotated[int, Field(ge=2), Official("code")] = 512
    code_channels: Annotated[PositiveInt, Official("code")] = 64
    reseed_every: Annotated[PositiveInt, Chosen("rare codes are re-initialised")] = 1000
    condition_base: Annotated[PositiveInt, Official("code")] = 32
    condition_rates: Annotated[Dilations, Official("code")] = (1, 1, 1, 2, 4, 8, 16, 1, 1, 1)
    channels: Annotated[int, Field(ge=8, multiple_of=8), Official("code; of the PixelCNN")] = 128
    blocks: Annotated[PositiveInt, Official("code; of each stream, and of the output")] = 20
    attentions: Annotated[PositiveInt, Official("code; blocks with attention")] = 4
    dropout: Annotated[float, Field(ge=0, lt=1), Official("code")] = 0.1
    texture_width: Annotated[PositiveInt, Official("code")] = 32
    texture_dilations: Annotated[Dilations, Official("code")] = (2, 4, 8, 16)
    discriminator_base: Annotated[PositiveInt, Official("code")] = 64
    discriminator_layers: Annotated[PositiveInt, Official("code; down to a map of 4×4")] = 6
    lr: Annotated[PositiveFloat, Official("code; of VQ-VAE and texture")] = 1e-4
    structure_rate: Annotated[PositiveFloat, Official("code; see `structure_schedule`")] = 0.18
    average_decay: Annotated[float, Field(ge=0, lt=1), Official("code; of weights")] = 0.9997
    commitment_weight: Annotated[NonNegativeFloat, Official("code")] = 0.25
    feature_weight: Annotated[NonNegativeFloat, Official("code; of the codes of each level")] = 0.1
    # Maximum norm of the PixelCNN's gradient.
    clip: Annotated[
        PositiveFloat,
        Chosen(
            "not the authors'. It acts at every step measured (gradient norms of 22,900 at full "
            "size, 6 to 8 after the demo's training), so it is no guard against the NaN that users "
            "of their code report"
        ),
    ] = 1.0

    @model_validator(mode="after")
    def _consistent(self) -> "Options":
        if self.vqvae_share + self.structure_share >= 1:
            raise ValueError("vqvae_share + structure_share leave no steps for texture; lower one")
        if self.blocks % self.attentions:
            raise ValueError("blocks must be a multiple of attentions")
        return self


class StructureGenerator(nn.Module):
    """Condition network and PixelCNN, trained together."""

    compiled_in_parts = True
    """`sample` enters it as well, see `compile_networks`."""

    def __init__(self, *, condition: ConditionNetwork, pixelcnn: StructurePixelCNN) -> None:
        super().__init__()
        self.condition, self.pixelcnn = condition, pixelcnn

    def forward(self, masked: Tensor, hole: Tensor, vectors: Tensor) -> Tensor:
        """Args: masked B×3×H×W; hole B×1×H×W; vectors B×D×H/8×W/8. Returns B×K×H/8×W/8."""
        logits: Tensor = self.pixelcnn(vectors, self.condition(masked, hole))
        return logits

    def sample(
        self, masked: Tensor, hole: Tensor, codebook: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Int64 B×H/8×W/8."""
        return sample_codes(self.pixelcnn, self.condition(masked, hole), codebook, generator)


class DSI(Method):
    """VQ-VAE, structure generator, texture generator with its discriminator."""

    def __init__(self, *, options: Options) -> None:
        super().__init__()
        self.options = options
        self.vqvae = HierarchicalVQVAE(
            width=options.vqvae_width,
            hidden=options.vqvae_hidden,
            codes=options.codes,
            channels=options.code_channels,
            reseed=options.reseed_every,
        )
        condition = ConditionNetwork(base=options.condition_base, rates=options.condition_rates)
        self.structure = StructureGenerator(
            condition=condition,
            pixelcnn=StructurePixelCNN(
                code_channels=options.code_channels,
                codes=options.codes,
                condition=condition.channels,
                channels=options.channels,
                blocks=options.blocks,
                attentions=options.attentions,
                dropout=options.dropout,
            ),
        )
        self.texture = TextureGenerator(
            width=options.texture_width,
            structure_channels=options.code_channels,
            dilations=options.texture_dilations,
        )
        self.discriminator = SNPatchGAN(
            in_channels=4, base=options.discriminator_base, layers=options.discriminator_layers
        )
        for network in (self.vqvae, self.texture):
            network.apply(truncated_normal)
        for weight in self.discriminator.parameters():
            if weight.dim() > 1:
                nn.init.trunc_normal_(
                    weight, std=DISCRIMINATOR_STD, a=-2 * DISCRIMINATOR_STD, b=2 * DISCRIMINATOR_STD
                )

        # Used by later phases and for completion.
        self.vqvae_average = MovingAverage(self.vqvae, decay=options.average_decay)
        self.structure_average = MovingAverage(self.structure, decay=options.average_decay)

    def phases(self) -> Sequence[Phase]:
        options = self.options
        vqvae_steps = round(options.steps * options.vqvae_share)
        structure_steps = round(options.steps * options.structure_share)

        parameters = list(self.structure.parameters())
        base = options.structure_rate * options.channels**-0.5
        structure_adam = Adam(parameters, lr=base)

        def clip(*_: object) -> None:
            torch.nn.utils.clip_grad_norm_(parameters, options.clip)

        structure_adam.register_step_pre_hook(clip)

        def texture_adam(network: nn.Module) -> Adam:
            return Adam(network.parameters(), lr=options.lr, betas=(0.5, 0.999))

        phases = [
            Phase(
                name="vqvae",
                steps=vqvae_steps,
                batch_size=options.batch_size,
                optimisers={"vqvae": Adam(self.vqvae.parameters(), lr=options.lr)},
                train_step=self._vqvae_step,
            ),
            Phase(
                name="structure",
                steps=structure_steps,
                batch_size=options.batch_size,
                optimisers={"structure": structure_adam},
                schedulers={
                    "structure": LambdaLR(structure_adam, structure_schedule(structure_steps))
                },
                train_step=self._structure_step,
            ),
            Phase(
                name="texture",
                steps=options.steps - vqvae_steps - structure_steps,
                batch_size=options.batch_size,
                optimisers={
                    "texture": texture_adam(self.texture),
                    "discriminator": texture_adam(self.discriminator),
                },
                train_step=self._texture_step,
            ),
        ]
        return [phase for phase in phases if phase.steps > 0]

    def _vqvae_step(self, batch: Batch) -> Iterator[Update]:
        output, encoded = self.vqvae(batch.image)
        commitment = encoded.top.commitment + encoded.bottom.commitment
        yield Update(
            "vqvae",
            {
                "reconstruction": F.mse_loss(output, batch.image),
                "commitment": self.options.commitment_weight * commitment,
            },
        )
        self.vqvae_average.update(self.vqvae)

    def _structure_step(self, batch: Batch) -> Iterator[Update]:
        with torch.no_grad():
            top = self._vqvae.encode(batch.image).top
        logits = self.structure(batch.masked, batch.hole, top.vectors)
        yield Update("structure", {"nll": F.cross_entropy(logits.float(), top.indices)})
        self.structure_average.update(self.structure)

    def _texture_step(self, batch: Batch) -> Iterator[Update]:
        image, hole, weight = batch.image, batch.hole, self.options.feature_weight
        vqvae = self._vqvae
        with torch.no_grad():
            target = vqvae.encode(image)
        output = self.texture(batch.masked, hole, target.top.vectors)
        completed = composite(image, output, hole)

        codes = vqvae.encode(completed)
        with without_weight_gradients(self.discriminator):
            d_logits = self._d_logits(completed, hole)
        yield Update(
            "texture",
            {
                "adversarial": generator_loss(d_logits, kind="hinge"),
                "l1": F.l1_loss(output, image),
                "structure_codes": weight
                * code_loss(codes.top_features, target.top.indices, vqvae.top_quantiser.codebook),
                "texture_codes": weight
                * code_loss(
                    codes.bottom_features, target.bottom.indices, vqvae.bottom_quantiser.codebook
                ),
            },
        )

        # On the same batch; the authors use another one.
        d_real = self._d_logits(image, hole)
        d_fake = self._d_logits(completed.detach(), hole)
        yield Update(
            "discriminator",
            {"discriminator": discriminator_loss(d_real, d_fake, kind="hinge")},
        )

    def complete(self, masked: Tensor, hole: Tensor, generator: torch.Generator) -> Tensor:
        masked = masked * (1 - hole)
        structure: StructureGenerator = self.structure_average.network  # type: ignore[assignment]
        quantiser = self._vqvae.top_quantiser
        codes = structure.sample(masked, hole, quantiser.codebook, generator)
        output: Tensor = self.texture(masked, hole, quantiser.lookup(codes))
        return output

    @property
    def _vqvae(self) -> HierarchicalVQVAE:
        """Return the averaged network, frozen."""
        return self.vqvae_average.network  # type: ignore[return-value]

    def _d_logits(self, image: Tensor, hole: Tensor) -> Tensor:
        logits: Tensor = self.discriminator(torch.cat([image, hole], dim=1))
        return logits


def build(*, options: Options, context: BuildContext) -> Trainable:
    """Build the method.

    Raises:
        UserError: the image size is not a multiple of 8.
    """
    require_multiple(context.image_size, REDUCTION, "image_size")
    return DSI(options=options)


def structure_schedule(steps: int) -> Callable[[int], float]:
    """Compute the factor of the structure generator's learning rate: warm-up, then decay.

    The authors train 1,000,000 steps with the peak after 46,900. The curve is scaled to the number
    of steps, of which there may be none.
    """

    def factor(step: int) -> float:
        t = (step + 1) * PUBLISHED_STEPS / max(1, steps)
        return float(min(t**-0.35, t * 16000**-1.5))

    return factor


def truncated_normal(layer: nn.Module) -> None:
    """Initialise weights with standard deviation 1/√(k·k·C_in) and biases with zero."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        std = (math.prod(layer.kernel_size) * layer.in_channels) ** -0.5
        nn.init.trunc_normal_(layer.weight, std=std, a=-2 * std, b=2 * std)
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
