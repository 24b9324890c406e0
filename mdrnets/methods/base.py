"""The interface between methods and the rest: all that training and completion know of a method.

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
        image_map: B×1×H×W of zeros and ones, what the phase's `image_map` computes.
    """

    image: Tensor
    hole: Tensor
    labels: Tensor | None = None
    image_map: Tensor | None = None

    @property
    def masked(self) -> Tensor:
        """I_m: the image with zeros in the hole, B×3×H×W."""
        return self.image * (1 - self.hole)


@dataclass(frozen=True)
class Update:
    """One optimiser step: the loop sums the terms, backpropagates, checks and steps.

    Attributes:
        optimiser: key in `Phase.optimisers`.
        terms: name → scalar loss, already weighted. Their sum is minimised. Which parameters get a
            gradient must not depend on the batch, because each rank sees a different part of it.
    """

    optimiser: str
    terms: Mapping[str, Tensor]


@dataclass
class Phase:
    """One part of a training schedule, run for a fixed number of steps.

    Attributes:
        name: unique within the method; appears in the history and in the saved state.
        steps: number of calls of `train_step`.
        batch_size: images in each batch, summed over all ranks.
        optimisers: by name. An optimiser may own parameters of several networks.
        train_step: a generator; each `Update` that it yields is applied before it is resumed, so
            a discriminator's update can precede the generator's. Code after the last `yield`
            runs after the last update is applied (for example an EMA).
        schedulers: each is stepped once after each training step.
        on_start: called once when the phase begins, not when it is resumed. Store the result in
            buffers or parameters, so that it is part of the saved state. It receives a few
            thousand training images (uint8, N×H×W×3), for example to fit a palette.
        on_enter: called whenever the phase becomes the current one, also after a resume. It sets
            train/eval modes and `requires_grad`.
        labels: whether batches include label maps. If so, only labelled images are drawn.
        image_map: computes a map of an image, uint8 H×W×3 → bool H×W, such as its edges. It is
            called once for each image of the phase, and again after a resume, perhaps in another
            thread, and mirrored with the image.
    """

    name: str
    steps: int
    batch_size: int
    optimisers: dict[str, torch.optim.Optimizer]
    train_step: Callable[[Batch], Iterator[Update]]
    schedulers: dict[str, torch.optim.lr_scheduler.LRScheduler] = field(default_factory=dict)
    on_start: Callable[[np.ndarray], None] | None = None
    on_enter: Callable[[], object] = lambda: None
    labels: bool = False
    image_map: Callable[[np.ndarray], np.ndarray] | None = None


@dataclass(frozen=True)
class BuildContext:
    """Inputs for building a network, besides its own options.

    Attributes:
        image_size: H = W in pixels.
        features: builds the frozen perceptual features of the named network (`vgg16` or `vgg19`,
            as the method's authors used), or of the profile's substitute for it.
        weights: published weights of the named network (`bisenet`), by their published names. None
            if saved weights are loaded later, or if the network is built only for a check.
        frozen: networks trained by earlier stages, by name (`coarse`, `parser`, `recon`), already
            in eval mode and without parameter gradients.
    """

    image_size: int
    features: Callable[[str], PerceptualFeatures]
    weights: Callable[[str], Mapping[str, Tensor] | None] = lambda name: None
    frozen: Mapping[str, "Trainable"] = field(default_factory=dict)


class Trainable(nn.Module):
    """Networks that are trained together and saved as one file.

    Each method's module under `mdrnets/methods/` defines `Options` (a `TrainOptions`) and
    `build(*, options, context) -> Trainable`.

    Attributes:
        least_images: the smallest part of a batch that a rank can train on.
    """

    least_images: int = 1

    def __init__(self) -> None:
        super().__init__()
        self._frozen: dict[str, nn.Module] = {}

    def register_frozen(self, name: str, module: Frozen) -> Frozen:
        """Register a frozen network: it follows `to()`, but is not part of the state dict.

        Returns the module itself; `self.frozen(name)` returns it later. Do not also assign it to
        an attribute, because that would register it as a submodule.
        """
        self._frozen[name] = module
        return module

    def frozen(self, name: str) -> Any:
        """Return the frozen network registered under this name."""
        return self._frozen[name]

    def networks(self) -> Iterator[nn.Module]:
        """Return the trained networks and the frozen ones."""
        yield from self.children()
        yield from self._frozen.values()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "Trainable":
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        for module in self._frozen.values():
            module._apply(fn, recurse)
        return self

    def phases(self) -> Sequence[Phase]:
        """Return the training schedule. Called once, after the networks are on their device."""
        raise NotImplementedError

    def diagnostics(self) -> dict[str, float]:
        """Return scalars to log besides the losses. Called at each logging interval."""
        return {}


class Method(Trainable):
    """A `Trainable` that completes images: one row of Table 1."""

    def complete(self, masked: Tensor, hole: Tensor, generator: torch.Generator) -> Tensor:
        """Fill the holes.

        Args:
            masked: B×3×H×W in [-1, 1], zero in the hole.
            hole: B×1×H×W, 1 = missing.
            generator: on the tensors' device; the only source of randomness for sampling.

        Returns:
            The raw output, B×3×H×W in [-1, 1]. The caller composites it (`composite`).
        """
        raise NotImplementedError
