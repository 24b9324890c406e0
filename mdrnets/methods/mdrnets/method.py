"""MDRNets: coarse-to-fine memory-disentangled refinement networks for face inpainting.

The paper this project regenerates (arXiv 2204.02824, https://arxiv.org/abs/2204.02824), Figure 2:
coarse face → face parsing and style features → region-wise pooling → disentangled memory (DMM)
→ mask-region enhancement (MREM) → guided refinement. Ablations are selected by options.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Annotated, Literal

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor, nn

from mdrnets.config.marks import Chosen, Cited, Paper
from mdrnets.config.options import TrainOptions
from mdrnets.data.classes import CLASSES
from mdrnets.data.pixels import to_tensor
from mdrnets.errors import UserError
from mdrnets.losses.adversarial import Adversarial, discriminator_loss
from mdrnets.methods.base import Batch, BuildContext, Method, Phase, Update
from mdrnets.methods.image_size import require_multiple
from mdrnets.methods.mdrnets.initial_weights import init_weights_as_cited
from mdrnets.methods.mdrnets.losses import GeneratorLosses, StyleLoss, Weights
from mdrnets.methods.mdrnets.mask_region import MaskedCorrelationMining, fuse
from mdrnets.methods.mdrnets.memory import DisentangledMemory, Init
from mdrnets.methods.mdrnets.pooling import RegionMeans, class_regions, pool_regions
from mdrnets.methods.mdrnets.refinement import GatedNorm, RefinementNetwork
from mdrnets.methods.mdrnets.style_encoder import StyleEncoder
from mdrnets.networks.composite import composite
from mdrnets.networks.patchgan import PatchDiscriminator
from mdrnets.networks.spade import Resizing

# Not strict: YAML lists are converted to tuples.
Dilations = Annotated[tuple[PositiveInt, ...], Field(strict=False, min_length=1)]
Tap = Annotated[str, Field(pattern=r"^(relu[12]_[12]|relu[345]_[123]|pool[1-5])$")]
Taps = Annotated[tuple[Tap, ...], Field(strict=False, min_length=1)]


class Options(TrainOptions):
    """Training settings, network sizes, and the switches for ablations."""

    # Summed over both GPUs. The discriminator has the same optimiser settings.
    batch_size: Annotated[PositiveInt, Paper()] = 8
    lr: Annotated[PositiveFloat, Paper()] = 2e-4
    beta1: Annotated[float, Field(ge=0, lt=1), Paper()] = 0.9
    beta2: Annotated[float, Field(ge=0, lt=1), Paper()] = 0.99

    style_channels: Annotated[PositiveInt, Chosen("c; 512 in SEAN", "style_encoder.py")] = 256
    style_width: Annotated[PositiveInt, Cited("SEAN's style encoder", "style_encoder.py")] = 32
    width: Annotated[PositiveInt, Chosen("width not stated", "refinement.py")] = 64
    dilations: Annotated[Dilations, Chosen("dilations of the gated blocks", "refinement.py")] = (
        1,
        2,
        4,
        8,
    )
    spade_hidden: Annotated[PositiveInt, Cited("SPADE", "refinement.py")] = 128
    # What the refinement network's encoder takes, in addition to the hole.
    encoder_input: Annotated[
        Literal["coarse", "masked"],
        Cited("DeepFillv2's second network; the paper's sentence on it is garbled"),
    ] = "coarse"
    residual: Annotated[bool, Chosen("I_o = P + R, by validation")] = True
    gated_norm: Annotated[
        GatedNorm, Cited("DeepFillv2, whose gated layers have none", "refinement.py")
    ] = "none"
    halvings: Annotated[PositiveInt, Chosen("not stated; two change little", "refinement.py")] = 3
    resizing: Annotated[Resizing, Cited("SPADE; of its guidance", "refinement.py")] = "nearest"
    # "framework": PyTorch's.
    initial_weights: Annotated[
        Literal["cited", "framework"],
        Cited("SPADE, SEAN, DeepFillv2; not stated", "initial_weights.py"),
    ] = "cited"
    discriminator_base: Annotated[PositiveInt, Cited("pix2pix")] = 64

    memory: Annotated[Literal["per_class", "shared", "shared_equal", "none"], Paper()] = "per_class"
    # Slots in each block; shared_equal has one block with as many for each class.
    slots: Annotated[PositiveInt, Chosen("m; the supplement is not public", "memory.py")] = 64
    alpha: Annotated[float, Field(ge=0, le=1), Cited("MOSS; α of equation 3", "memory.py")] = 0.999
    temperature: Annotated[PositiveFloat, Chosen("not in equation 4", "memory.py")] = 1.0
    init: Annotated[Init, Cited("MOSS: N(0, 1)", "memory.py")] = "normal"
    # Of the steps, before slots are filled from data.
    warm_up_share: Annotated[
        float, Field(ge=0, lt=1), Chosen("for `init: from_data`: the style encoder learns first")
    ] = 0.1
    mrem: Annotated[bool, Paper()] = True  # False: the fused features guide the decoder
    # Must divide half the image size.
    patch_size: Annotated[PositiveInt, Chosen("p: 1,024 patches at 256²", "mask_region.py")] = 4
    guidance: Annotated[Literal["memory", "style"], Paper()] = "memory"  # style: no DMM, no MREM

    adversarial: Annotated[Adversarial, Chosen("the cited pix2pix uses bce", "losses.py")] = "hinge"
    style: Annotated[StyleLoss, Cited("AdaIN; `gram` is an option", "losses.py")] = "statistics"
    taps: Annotated[Taps, Chosen("VGG-16, as in Johnson et al. 2016", "losses.py")] = (
        "relu1_2",
        "relu2_2",
        "relu3_3",
        "relu4_3",
    )
    weights: Weights = Weights()


class MDRNets(Method):
    """The networks of Figure 2; the coarse network and the parser are frozen."""

    def __init__(
        self,
        *,
        style_encoder: StyleEncoder,
        memory: DisentangledMemory | None,
        correlation: MaskedCorrelationMining | None,
        refinement: RefinementNetwork,
        discriminator: PatchDiscriminator,
        options: Options,
        context: BuildContext,
    ) -> None:
        """Args:
        memory: if None, the pooled features are used directly (Q̂ = Q).
        correlation: if None, the fused features guide the decoder directly.
        context: its frozen networks must include `coarse` and `parser`, and for training `recon`.
        """
        super().__init__()
        self.style_encoder = style_encoder
        self.memory = memory
        self.correlation = correlation
        self.refinement = refinement
        self.discriminator = discriminator
        self.options = options
        for name, network in context.frozen.items():
            self.register_frozen(name, network)

    def complete(self, masked: Tensor, hole: Tensor, generator: torch.Generator) -> Tensor:
        """See `Method`. The result is deterministic; `generator` is not used."""
        coarse = self.complete_coarsely(masked, hole)
        output = self.refine(masked, hole, coarse, self.frozen("parser").parse(coarse))
        return output.clamp(-1, 1)

    def complete_coarsely(self, masked: Tensor, hole: Tensor) -> Tensor:
        """Return the masked image with P in the hole, B×3×H×W in [-1, 1]."""
        return composite(masked, self.frozen("coarse")(masked, hole).clamp(-1, 1), hole)

    def refine(self, masked: Tensor, hole: Tensor, coarse: Tensor, labels: Tensor) -> Tensor:
        """Return I_o, B×3×H×W in [-1, 1], or with a residual output in [-2, 2].

        In training mode this updates the memory.

        Args:
            masked: B×3×H×W, zero in the hole.
            hole: B×1×H×W.
            coarse: the composite of the coarse face, B×3×H×W.
            labels: class ids of `coarse`, B×H×W.
        """
        features = self.style_encoder(coarse)  # F_s, B×c×H/2×W/2
        if self.options.guidance == "memory":
            features = self._guide(features, labels, hole)
        return self.decode(masked, hole, coarse, features)

    def decode(self, masked: Tensor, hole: Tensor, coarse: Tensor, guidance: Tensor) -> Tensor:
        """Return I_o for given guidance, B×c×h×w; the other arguments are those of `refine`."""
        given = coarse if self.options.encoder_input == "coarse" else masked
        output: Tensor = self.refinement(given, hole, guidance)
        return coarse + output if self.options.residual else output

    def _guide(self, features: Tensor, labels: Tensor, hole: Tensor) -> Tensor:
        """Apply DMM and MREM to F_s. Input and output are B×c×h×w."""
        fused, hole = self.fuse_features(features, labels, hole, memory=self.memory)
        return fused if self.correlation is None else self.correlation(fused, hole)

    def fuse_features(
        self, features: Tensor, labels: Tensor, hole: Tensor, *, memory: DisentangledMemory | None
    ) -> tuple[Tensor, Tensor]:
        """Return F, B×c×h×w, and the hole at the same size. If `memory` is None, Q̂ = Q."""
        hole = F.interpolate(hole, size=features.shape[2:])  # nearest, like the classes
        regions = _feature_regions(labels, features)  # B×K×h×w

        query = pool_regions(features, regions)  # Q
        value = pool_regions(features, regions * (1 - hole))  # V
        remembered = query.means if memory is None else memory(query, value)  # Q̂

        fused = fuse(
            valid_rows=value.means, hole_rows=remembered, regions=regions, hole=hole
        )  # B×c×h×w
        return fused, hole

    def pool_style(self, image: Tensor, labels: Tensor) -> RegionMeans:
        """Return Q of a complete image or of a coarse composite: rows B×K×c."""
        features = self.style_encoder(image)
        return pool_regions(features, _feature_regions(labels, features))

    def phases(self) -> Sequence[Phase]:
        options = self.options
        losses = self._losses()

        def train_step(batch: Batch) -> Iterator[Update]:
            with torch.no_grad():
                coarse = self.complete_coarsely(batch.masked, batch.hole)
                both = self.frozen("parser").parse(torch.cat([coarse, batch.image]))
                labels, image_labels = both.chunk(2)
            output = self.refine(batch.masked, batch.hole, coarse, labels)

            if options.weights.adversarial:
                fake = composite(batch.image, output.detach(), batch.hole)
                d_real, d_fake = self.discriminator(torch.cat([batch.image, fake])).chunk(2)
                loss = discriminator_loss(d_real, d_fake, kind=options.adversarial)
                yield Update("discriminator", {"discriminator": loss})

            # Reuse the output: the discriminator's update did not change the generator.
            yield Update(
                "generator",
                losses(output=output, image=batch.image, hole=batch.hole, labels=image_labels),
            )

        optimisers: dict[str, torch.optim.Optimizer] = {
            "generator": self._adam(self.style_encoder, self.correlation, self.refinement),
            "discriminator": self._adam(self.discriminator),
        }

        def phase(name: str, steps: int) -> Phase:
            return Phase(
                name=name,
                steps=steps,
                batch_size=options.batch_size,
                optimisers=optimisers,
                train_step=train_step,
            )

        if options.init != "from_data" or self.memory is None:
            return [phase("train", options.steps)]
        warm_up = round(options.warm_up_share * options.steps)
        filled = phase("train", options.steps - warm_up)
        filled.on_start = self.fill_memory
        return [phase("warm-up", warm_up), filled] if warm_up else [filled]

    @torch.no_grad()
    def fill_memory(self, images: np.ndarray) -> None:
        """Initialise the slots with style vectors of evenly spaced training images.

        As many images as a block has slots; a block of all classes gets some of their vectors.

        Args:
            images: uint8, N×H×W×3.
        """
        assert self.memory is not None
        count = min(self.options.slots, len(images))
        chosen = np.linspace(0, len(images) - 1, count).round().astype(int)
        pooled = []
        for part in np.array_split(chosen, math.ceil(count / self.options.batch_size)):
            image = to_tensor(images[part], self.memory.slots.device)
            pooled.append(self.pool_style(image, self.frozen("parser").parse(image)))
        self.memory.fill(RegionMeans(*(torch.cat(parts) for parts in zip(*pooled, strict=True))))

    def diagnostics(self) -> dict[str, float]:
        """Return statistics of the memory; see `DisentangledMemory.diagnostics`."""
        if self.memory is None:
            return {}
        used = self.memory.slots_used()
        names = CLASSES if len(used) > 1 else ("all classes",)
        return {f"memory/{name}": value for name, value in self.memory.diagnostics().items()} | {
            f"memory/slots_used/{name}": float(count)
            for name, count in zip(names, used, strict=True)
        }

    def _losses(self) -> GeneratorLosses:
        weights = self.options.weights
        features = recon = None
        if weights.perceptual or weights.style:
            features = self.frozen("features")
        if weights.incoordination:
            recon = self.frozen("recon")
        return GeneratorLosses(
            weights=weights,
            adversarial=self.options.adversarial,
            style=self.options.style,
            taps=self.options.taps,
            discriminator=self.discriminator,
            parser=self.frozen("parser"),
            features=features,
            recon=recon,
        )

    def _adam(self, *networks: nn.Module | None) -> torch.optim.Adam:
        """Build one optimiser for the given networks; None is skipped."""
        options = self.options
        return torch.optim.Adam(
            chain.from_iterable(network.parameters() for network in networks if network),
            lr=options.lr,
            betas=(options.beta1, options.beta2),
        )


def build(*, options: Options, context: BuildContext) -> MDRNets:
    """Build the networks that the options select.

    Raises:
        UserError: sizes in the options do not fit the image size.
    """
    _check_sizes(options, context.image_size)
    memory = correlation = None
    if options.guidance == "memory":
        if options.memory != "none":
            memory = DisentangledMemory(
                blocks=len(CLASSES) if options.memory == "per_class" else 1,
                slots=options.slots * (len(CLASSES) if options.memory == "shared_equal" else 1),
                channels=options.style_channels,
                alpha=options.alpha,
                temperature=options.temperature,
                init=options.init,
            )
        if options.mrem:
            correlation = MaskedCorrelationMining(
                channels=options.style_channels, patch_size=options.patch_size
            )
    method = MDRNets(
        style_encoder=StyleEncoder(channels=options.style_channels, width=options.style_width),
        memory=memory,
        correlation=correlation,
        refinement=RefinementNetwork(
            width=options.width,
            halvings=options.halvings,
            dilations=options.dilations,
            norm=options.gated_norm,
            guidance_channels=options.style_channels,
            spade_hidden=options.spade_hidden,
            resizing=options.resizing,
        ),
        discriminator=PatchDiscriminator(
            in_channels=3, base=options.discriminator_base, outer_bias=True
        ),
        options=options,
        context=context,
    )
    if options.initial_weights == "cited":
        init_weights_as_cited(method)
    if options.weights.perceptual or options.weights.style:
        method.register_frozen("features", context.features("vgg16"))
    return method


def _feature_regions(labels: Tensor, features: Tensor) -> Tensor:
    """Labels B×H×W → one-hot maps B×K×h×w of the features' size."""
    return class_regions(labels, classes=len(CLASSES), size=features.shape[2:])


def _check_sizes(options: Options, image_size: int) -> None:
    reduction = 2**options.halvings
    require_multiple(image_size, reduction, "halvings")
    if (image_size // 2) % options.patch_size:
        raise UserError(
            f"patch_size: found {options.patch_size}, expected a divisor of half the image size, "
            f"{image_size // 2}; choose one"
        )
    bottleneck = image_size // reduction
    if max(options.dilations) >= bottleneck:
        raise UserError(
            f"dilations: found {list(options.dilations)}, expected each below {bottleneck}, the "
            f"size of the bottleneck at {image_size} pixels, since a kernel would otherwise see "
            "only padding; lower them"
        )
