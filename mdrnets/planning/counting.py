"""Count what a training step and a completion cost, without a GPU, data or weights.

The networks run at their full size on random images, except for large convolutions and matrix
products, which are counted and return zeros. So counting is fast, and everything else that decides
the course of a step (edges, codebooks, which cells are missing) is computed as usual.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._pytree import tree_map_only

from mdrnets.config.load import Config
from mdrnets.data.classes import CLASSES
from mdrnets.methods.base import Batch, BuildContext, Method, Phase, Trainable
from mdrnets.methods.building import network_module, resolved_options
from mdrnets.networks.features import (
    VGG_LAYERS,
    EffNetLiteFeatures,
    PerceptualFeatures,
    VGGFeatures,
)
from mdrnets.networks.frozen import freeze
from mdrnets.planning.speed import Cost
from mdrnets.runtime.numerics import autocast
from mdrnets.runtime.operations import MacCounter

IMAGES = 2
"""In a counted batch: BatchNorm after global pooling needs two. Costs are linear in the batch."""
TRAINING_IMAGES = 100_000
"""Assumed, to convert epochs to steps: only the proportions between phases are used."""
SMALL = 2**16
"""Elements. A smaller operation is computed, which is faster than to infer its output's shape."""
SAMPLER_KERNELS = 10_000
"""Kernels for an image that only a method with a sampler needs."""


@dataclass(frozen=True)
class PhaseCost:
    """The cost of one phase of a training.

    Attributes:
        step: forward and backward passes of all networks, frozen ones included.
        activations: bytes saved for the backward pass, in the update that saves most.
    """

    name: str
    steps: int
    batch_size: int
    step: Cost
    activations: int


@dataclass(frozen=True)
class NetworkCost:
    """The cost of one network.

    Attributes:
        phases: of its training, in order.
        completion: the cost of one image as a function of its hole ratio; None for a component.
        parameters: number of trained parameters, discriminators included.
        weights: bytes of its own parameters and buffers.
        frozen: bytes of the networks that it is built on, and of perceptual features.
        optimised: bytes of the parameters of all optimisers; Adam's state takes twice as much.
    """

    phases: tuple[PhaseCost, ...]
    completion: Callable[[float], Cost] | None
    parameters: int
    weights: int
    frozen: int
    optimised: int


class CostCounter:
    """Builds the networks of a profile and counts their costs.

    A component is built once, and shared by the methods that use it.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self._components: dict[str, Trainable] = {}

    def count(self, name: str) -> NetworkCost:
        """Build a network that the profile trains, and count what it costs."""
        trainable = self.build(name)
        trainable.train()
        phases = trainable.phases()
        parameters = list(trainable.parameters())
        optimised = {
            id(parameter): _bytes(parameter)
            for phase in phases
            for optimiser in phase.optimisers.values()
            for group in optimiser.param_groups
            for parameter in group["params"]
        }
        return NetworkCost(
            phases=tuple(self._phase(trainable, phase) for phase in phases),
            completion=self._completion(trainable) if isinstance(trainable, Method) else None,
            parameters=sum(parameter.numel() for parameter in parameters),
            weights=_all_bytes(trainable),
            frozen=sum(map(_all_bytes, trainable._frozen.values())),
            optimised=sum(optimised.values()),
        )

    def build(self, name: str) -> Trainable:
        """Build an untrained network; the networks that use a component share it."""
        network = self.config.network(name)
        for component in network.uses:
            if component not in self._components:
                self._components[component] = freeze(self.build(component))
        torch.manual_seed(0)
        return network_module(network, name).build(
            options=resolved_options(self.config, name, images=TRAINING_IMAGES),
            context=BuildContext(
                image_size=self.config.profile.image_size,
                features=self._features,
                frozen={component: self._components[component] for component in network.uses},
            ),
        )

    def _features(self, name: str) -> PerceptualFeatures:
        """As in training, but without VGG's weights, which may not be there yet."""
        if self.config.profile.perceptual == "effnet-lite0":
            return freeze(EffNetLiteFeatures())
        from torchvision.models.vgg import cfgs, make_layers

        layers = make_layers(cfgs[VGG_LAYERS[name]])
        weights = {f"features.{key}": value for key, value in layers.state_dict().items()}
        return freeze(VGGFeatures(name=name, weights=weights))

    def _phase(self, trainable: Trainable, phase: Phase) -> PhaseCost:
        phase.on_enter()
        counter, largest = _Counter(), 0
        updates = phase.train_step(_batch(self.config.profile.image_size, IMAGES, hole=0.5))
        done = False
        while not done:
            with counter, _saved_bytes() as saved:
                with autocast(torch.device("cpu"), self.config.profile.precision):
                    update = next(updates, None)
                done = update is None
                if update is not None:
                    torch.stack([term.float() for term in update.terms.values()]).sum().backward()
            largest = max(largest, sum(saved))
            trainable.zero_grad(set_to_none=True)
        scale = phase.batch_size / IMAGES
        return PhaseCost(
            name=phase.name,
            steps=phase.steps,
            batch_size=phase.batch_size,
            step=Cost(macs=round(scale * counter.macs), kernels=counter.kernels),
            activations=round(scale * largest),
        )

    def _completion(self, method: Method) -> Callable[[float], Cost]:
        """Extrapolate from an image without a hole and one with a small hole.

        The cost of a sampler grows with the hole.
        """
        size = self.config.profile.image_size
        method.eval()
        share = max(size // 16, 8) / size
        whole = self._complete(method, 0.0)
        # A method that samples even without a hole costs the same for all holes, and is slow here.
        holed = self._complete(method, share) if whole.kernels < SAMPLER_KERNELS else whole

        def cost(missing: float) -> Cost:
            times = missing / share**2
            return Cost(
                macs=round(whole.macs + times * (holed.macs - whole.macs)),
                kernels=round(whole.kernels + times * (holed.kernels - whole.kernels)),
            )

        return cost

    def _complete(self, method: Method, hole: float) -> Cost:
        batch = _batch(self.config.profile.image_size, 1, hole=hole)
        with torch.no_grad(), _Counter() as counter:
            method.complete(batch.masked, batch.hole, torch.Generator().manual_seed(0))
        return Cost(counter.macs, counter.kernels)


class _Counter(MacCounter):
    """Counts kernels as well, and skips the most expensive operations."""

    def __init__(self) -> None:
        super().__init__()
        self.kernels = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        self.kernels += not func.is_view
        return super().__torch_dispatch__(func, types, args, kwargs)

    def compute(self, func: Any, args: Sequence[Any], kwargs: Any) -> Any:
        large = any(isinstance(value, Tensor) and value.numel() > SMALL for value in args)
        return _zeros(func, args, kwargs) if large else super().compute(func, args, kwargs)


def _zeros(func: Any, args: Sequence[Any], kwargs: Any) -> Any:
    """Return zeros of the shapes and types that `func` would return."""
    on_meta = tree_map_only(Tensor, lambda tensor: tensor.to("meta"), (tuple(args), kwargs))
    shapes = func(*on_meta[0], **on_meta[1])
    return tree_map_only(Tensor, lambda tensor: torch.zeros_like(tensor, device="cpu"), shapes)


@contextmanager
def _saved_bytes() -> Iterator[list[int]]:
    """Collect the sizes of what autograd saves for the backward pass, without keeping it.

    A tensor that several operations save counts once. Parameters are kept and do not count.
    """
    sizes: list[int] = []
    seen: dict[int, StorageWeakRef] = {}  # keeps the address from being reused

    def pack(tensor: Tensor) -> Any:
        if isinstance(tensor, torch.nn.Parameter):
            return tensor
        storage = StorageWeakRef(tensor.untyped_storage())
        if seen.setdefault(storage.cdata, storage) is storage:
            sizes.append(_bytes(tensor))
        return tensor.shape, tensor.dtype

    def unpack(packed: Any) -> Tensor:
        return packed if isinstance(packed, Tensor) else torch.zeros(packed[0], dtype=packed[1])

    with saved_tensors_hooks(pack, unpack):
        yield sizes


def _batch(size: int, count: int, *, hole: float) -> Batch:
    """Random images with a square hole in the corner, whose edge is `hole` times the image's."""
    holes = torch.zeros(count, 1, size, size)
    edge = math.ceil(hole * size)
    holes[:, :, :edge, :edge] = 1
    return Batch(
        image=torch.rand(count, 3, size, size) * 2 - 1,
        hole=holes,
        labels=torch.randint(len(CLASSES), (count, size, size)),
    )


def _all_bytes(module: torch.nn.Module) -> int:
    return sum(map(_bytes, [*module.parameters(), *module.buffers()]))


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
