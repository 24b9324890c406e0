"""What the training loop and the completion stage know of a method: nothing but this file.

Tensor alphabet, used everywhere: B batch, C channels, H W size, K semantic classes, M memory
slots, N = H·W positions or patches. Inside networks an image is float in [-1, 1]. `hole` is
B×1×H×W with 1 where the image is missing and 0 where it is valid; `labels` is B×H×W int64.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from mdrnets.networks.features import PerceptualFeatures

Frozen = TypeVar("Frozen", bound=nn.Module)


@dataclass(frozen=True)
class Batch:
    """One training batch.

    Attributes:
        image: B×3×H×W in [-1, 1], complete.
        hole: B×1×H×W, 1 = missing.
        labels: B×H×W class ids, or None where the phase did not ask for them.
    """

    image: Tensor
    hole: Tensor
    labels: Tensor | None = None

    @property
    def masked(self) -> Tensor:
        """I_m: the image with zeros in the hole, B×3×H×W."""
        return self.image * (1 - self.hole)


@dataclass(frozen=True)
class Update:
    """One optimiser step: the loop sums the terms, backpropagates, checks and steps.

    Attributes:
        optimiser: key in `Phase.optimisers`.
        terms: name → already weighted scalar loss. Their sum is minimised. Which parameters it
            reaches must not depend on the batch, of which each rank has a share of its own.
    """

    optimiser: str
    terms: Mapping[str, Tensor]


@dataclass
class Phase:
    """One part of a training schedule, run for a fixed number of steps.

    Attributes:
        name: unique within the method; appears in the history and in the saved state.
        steps: number of calls of `train_step`.
        batch_size: images in each batch, all ranks together.
        optimisers: by name. An optimiser may own parameters of several networks.
        train_step: a generator; each `Update` that it yields is applied before it is resumed, so
            a discriminator's update can precede the generator's. Code after the last `yield`
            runs once the last update is applied (for example an EMA).
        schedulers: stepped once after each training step.
        on_start: called once when the phase begins, not when it is resumed; what it sets up must
            live in buffers or parameters, so that it is part of the saved state. It receives
            some thousand training images (uint8, N×H×W×3), for example to fit a palette.
        on_enter: called whenever the phase becomes the current one, also after a resume: sets
            train/eval modes and `requires_grad`.
        labels: whether batches carry label maps (only labelled training images are then drawn).
    """

    name: str
    steps: int
    batch_size: int
    optimisers: dict[str, torch.optim.Optimizer]
    train_step: Callable[[Batch], Iterator[Update]]
    schedulers: dict[str, torch.optim.lr_scheduler.LRScheduler] = field(default_factory=dict)
    on_start: Callable[[np.ndarray], None] | None = None
    on_enter: Callable[[], None] | None = None
    labels: bool = False


@dataclass(frozen=True)
class BuildContext:
    """What a network is built with, besides its own options.

    Attributes:
        image_size: H = W in pixels.
        features: builds the frozen perceptual features of the named network (`vgg16`, `vgg19`:
            what the method's authors used), or of the profile's stand-in for it.
        weights: published weights of the named network (`bisenet`), by their published names; None
            where the network gets those that were saved, or is only looked at.
        frozen: networks trained by earlier stages, by name (`coarse`, `parser`, `recon`), already
            in eval mode and without parameter gradients.
    """

    image_size: int
    features: Callable[[str], PerceptualFeatures]
    weights: Callable[[str], Mapping[str, Tensor] | None] = lambda name: None
    frozen: Mapping[str, "Trainable"] = field(default_factory=dict)


class Trainable(nn.Module):
    """Networks that are trained together and saved as one file.

    Each module file under `mdrnets/methods/` offers `Options` (a `TrainOptions`) and
    `build(*, options, context) -> Trainable`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._frozen: dict[str, nn.Module] = {}

    def register_frozen(self, name: str, module: Frozen) -> Frozen:
        """Keep a frozen helper: it moves along with `to()`, but is no part of the state dict.

        Returns the module itself; later it is at `self.frozen(name)`. Do not assign it to an
        attribute as well: that would register it.
        """
        self._frozen[name] = module
        return module

    def frozen(self, name: str) -> Any:
        """The helper of this name."""
        return self._frozen[name]

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "Trainable":
        super()._apply(fn, recurse)
        for module in self._frozen.values():
            module._apply(fn, recurse)
        return self

    def phases(self) -> Sequence[Phase]:
        """The training schedule, in order. Called once, after the networks are on their device."""
        raise NotImplementedError

    def diagnostics(self) -> dict[str, float]:
        """Scalars worth a curve besides the losses, read at each logging interval."""
        return {}


class Method(Trainable):
    """A trainable that completes images: one row of Table 1."""

    def complete(self, masked: Tensor, hole: Tensor, generator: torch.Generator) -> Tensor:
        """Fill the holes.

        Args:
            masked: B×3×H×W in [-1, 1], zero in the hole.
            hole: B×1×H×W, 1 = missing.
            generator: on the tensors' device; the only source of randomness of a sampler.

        Returns:
            The raw output, B×3×H×W in [-1, 1]. The caller composites it (`composite`).
        """
        raise NotImplementedError
