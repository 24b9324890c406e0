"""The face parser S: a BiSeNet on the 14 classes, trained first and frozen.

MDRNets (https://arxiv.org/abs/2204.02824), section 3.1, uses a pre-trained parser. The training
here follows Yu et al. 2018 (BiSeNet), section 3.3, with another optimiser.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Self

import torch
import torch.nn.functional as F
from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)
from torch import Tensor

from mdrnets.config.marks import Chosen, Cited
from mdrnets.config.options import TrainOptions
from mdrnets.data.classes import CLASSES
from mdrnets.errors import UserError
from mdrnets.methods.base import Batch, BuildContext, Phase, Trainable, Update
from mdrnets.networks.bisenet import STRIDE, BiSeNet
from mdrnets.networks.published_bisenet import PUBLISHED_CLASSES, convert_published, merge_classes

SOURCE = "bisenet"
"""Name of the published weights in params.yaml."""


class Options(TrainOptions):
    """Width, loss and optimiser of the face parser, or the choice of published weights."""

    published: Annotated[bool, Chosen("published weights were trained on test images too")] = False
    steps: Annotated[
        NonNegativeInt, Chosen("for published weights; otherwise set by the profile")
    ] = 0
    # BatchNorm of pooled values needs at least two images.
    batch_size: Annotated[int, Field(ge=2), Cited("BiSeNet; the paper uses a trained parser")] = 16
    width: Annotated[int, Field(ge=4), Cited("BiSeNet on ResNet-18")] = 64
    input_scale: Annotated[PositiveInt, Chosen("in small images, eyes vanish at stride 8")] = 1
    class_balance: Annotated[float, Field(ge=0, le=1), Chosen("rare classes, such as eyes")] = 0.5
    auxiliary_weight: Annotated[NonNegativeFloat, Cited("BiSeNet, equation 2")] = 1.0
    lr: Annotated[PositiveFloat, Chosen("Adam, for short trainings")] = 1e-3
    # "poly" decay, to zero at the last step.
    lr_power: Annotated[NonNegativeFloat, Cited("BiSeNet's decay of the rate")] = 0.9

    @model_validator(mode="after")
    def _trained_or_published(self) -> Self:
        if self.published == (self.steps > 0):
            raise ValueError("give either `steps` (to train) or `published: true`, not both")
        return self


class Parser(Trainable):
    """Image → semantic map."""

    least_images = 2  # BatchNorm receives one pooled value of each

    def __init__(self, *, network: BiSeNet, options: Options) -> None:
        super().__init__()
        self.network, self.options = network, options
        self._last: tuple[Tensor, Tensor] | None = None

    def forward(self, image: Tensor) -> Tensor:
        """Args: image B×3×H×W in [-1, 1]; times `input_scale`, H and W are multiples of 32.

        Returns logits B×14×H×W. Gradients flow to the image, even if frozen.
        """
        logits: Tensor = self.network(self._upscale_image(image))
        if self.options.published:
            logits = merge_classes(logits)
        return self._downscale_logits(logits)

    @torch.no_grad()
    def parse(self, image: Tensor) -> Tensor:
        """Args: image B×3×H×W in [-1, 1]. Returns class ids B×H×W int64."""
        labels: Tensor = self(image).argmax(dim=1)
        return labels

    def phases(self) -> Sequence[Phase]:
        options = self.options
        if options.published:
            return []
        adam = torch.optim.Adam(self.parameters(), lr=options.lr)
        decay = torch.optim.lr_scheduler.PolynomialLR(
            adam, total_iters=options.steps, power=options.lr_power
        )
        return [
            Phase(
                name="parser",
                steps=options.steps,
                batch_size=options.batch_size,
                optimisers={"parser": adam},
                schedulers={"parser": decay},
                train_step=self._train_step,
                labels=True,
            )
        ]

    def _train_step(self, batch: Batch) -> Iterator[Update]:
        assert batch.labels is not None, "the phase asks for labels"
        heads = self.network.forward_with_auxiliary(self._upscale_image(batch.image))
        main, *auxiliary = [self._downscale_logits(logits) for logits in heads]
        self._last = main.detach(), batch.labels

        weight = class_weights(batch.labels, balance=self.options.class_balance)
        extra = [F.cross_entropy(logits, batch.labels, weight) for logits in auxiliary]
        yield Update(
            optimiser="parser",
            terms={
                "cross_entropy": F.cross_entropy(main, batch.labels, weight),
                "auxiliary": self.options.auxiliary_weight * torch.stack(extra).sum(),
            },
        )

    def _upscale_image(self, image: Tensor) -> Tensor:
        scale = self.options.input_scale
        return F.interpolate(image, scale_factor=scale, mode="bilinear") if scale > 1 else image

    def _downscale_logits(self, logits: Tensor) -> Tensor:
        scale = self.options.input_scale
        return F.avg_pool2d(logits, scale) if scale > 1 else logits

    def diagnostics(self) -> dict[str, float]:
        """Return pixel accuracy and mean IoU over present classes, for the last training batch."""
        if self._last is None:
            return {}
        logits, labels = self._last
        guess = logits.argmax(dim=1)
        ious = []
        for label in labels.unique():
            both = (guess == label) & (labels == label)
            either = (guess == label) | (labels == label)
            ious.append(both.sum() / either.sum())
        return {
            "accuracy": (guess == labels).float().mean().item(),
            "mean_iou": torch.stack(ious).mean().item(),
        }


def class_weights(labels: Tensor, *, balance: float) -> Tensor:
    """Weights of the cross-entropy: frequency to the power of −balance.

    Args:
        labels: B×H×W class ids.
        balance: 0 weights all pixels equally, 1 weights all classes of the batch equally.

    Returns:
        14 weights; 0 for absent classes.
    """
    # Unlike `bincount`, this does not wait for a GPU.
    classes = torch.arange(len(CLASSES), device=labels.device)
    counts = (labels.flatten() == classes[:, None]).sum(dim=1).float()
    return torch.where(counts > 0, (labels.numel() / counts.clamp(min=1)) ** balance, 0)


def build(*, options: Options, context: BuildContext) -> Parser:
    """Build the untrained parser, or the one with published weights.

    Raises:
        UserError: the scaled image size is not a multiple of the largest stride, or the published
            weights belong to another network.
    """
    if context.image_size * options.input_scale % STRIDE:
        raise UserError(
            f"input_scale: found {options.input_scale} × {context.image_size} pixels, expected a "
            f"multiple of {STRIDE}; choose another scale or image size"
        )
    if not options.published:
        network = BiSeNet(n_classes=len(CLASSES), width=options.width)
        return Parser(network=network, options=options)
    network = BiSeNet(n_classes=len(PUBLISHED_CLASSES), align_corners=True)
    weights = context.weights(SOURCE)
    if weights is not None:
        network.load_state_dict(convert_published(weights, f"sources.{SOURCE}"))
    return Parser(network=network, options=options)
