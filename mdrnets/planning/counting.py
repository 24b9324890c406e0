"""What a training step and a completion cost, counted without a GPU, data or weights.

The networks run at their full size on random images, but for convolutions and matrix products:
these are counted, and answered with zeros. So nothing is slow, and whatever else decides the course
of a step (edges, codebooks, which cells are missing) is computed as ever.
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
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only
from torch.utils.flop_counter import flop_registry, sdpa_flop
from torchvision.models.vgg import cfgs, make_layers

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

IMAGES = 2
"""A counted batch: BatchNorm after global pooling needs two. Costs grow linearly with the batch."""
MANY = 100_000
"""Training images, from which epochs become steps: of these the proportion alone counts."""
SMALL = 2**16
"""Elements: a convolution of less is run, which is quicker than to work out its shape."""
SAMPLER = 10_000
"""Kernels: no network without a sampler needs as many for an image."""

FORMULAS: dict[Any, Callable[..., int]] = flop_registry | {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: sdpa_flop,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: lambda *args, **_: (
        5 * sdpa_flop(*args[1:4]) // 2  # five products in place of two
    ),
}


@dataclass(frozen=True)
class PhaseCost:
    """Of one phase of a training.

    Attributes:
        step: forward and backward passes of all networks, frozen ones included.
        activations: bytes kept for the backward pass, of the update that keeps most.
    """

    name: str
    steps: int
    batch_size: int
    step: Cost
    activations: int


@dataclass(frozen=True)
class NetworkCost:
    """Of one network on one data set.

    Attributes:
        phases: of its training, in order.
        completion: of one image, by the share of it that is missing; none for a part.
        parameters: that are trained, discriminators included.
        weights: bytes of parameters and buffers, its own.
        frozen: bytes of the networks that it is built on, and of perceptual features.
        optimised: bytes of the parameters of all optimisers; Adam keeps twice as much.
    """

    phases: tuple[PhaseCost, ...]
    completion: Callable[[float], Cost] | None
    parameters: int
    weights: int
    frozen: int
    optimised: int


class CostCounter:
    """Builds the networks of a profile and counts them.

    A part is built once, and shared by the methods that use it.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self._parts: dict[str, Trainable] = {}

    def count(self, name: str) -> NetworkCost:
        """Args: name: a network that the profile trains."""
        trainable = self._built(name)
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

    def _built(self, name: str) -> Trainable:
        network = self.config.network(name)
        for part in network.uses:
            if part not in self._parts:
                self._parts[part] = freeze(self._built(part))
        torch.manual_seed(0)
        return network_module(network, name).build(
            options=resolved_options(self.config, name, images=MANY),
            context=BuildContext(
                image_size=self.config.profile.image_size,
                features=self._features,
                frozen={part: self._parts[part] for part in network.uses},
            ),
        )

    def _features(self, name: str) -> PerceptualFeatures:
        """As in training, but without VGG's weights, which may not be there yet."""
        if self.config.profile.perceptual == "effnet-lite0":
            return freeze(EffNetLiteFeatures())
        layers = make_layers(cfgs[VGG_LAYERS[name]])
        weights = {f"features.{key}": value for key, value in layers.state_dict().items()}
        return freeze(VGGFeatures(name=name, weights=weights))

    def _phase(self, trainable: Trainable, phase: Phase) -> PhaseCost:
        if phase.on_enter is not None:
            phase.on_enter()
        counter, kept = _Counter(), 0
        updates = phase.train_step(_batch(self.config.profile.image_size, IMAGES, hole=0.5))
        done = False
        while not done:
            with counter, _kept_bytes() as activations:
                with self._autocast():
                    update = next(updates, None)
                done = update is None
                if update is not None:
                    torch.stack([term.float() for term in update.terms.values()]).sum().backward()
            kept = max(kept, sum(activations))
            trainable.zero_grad(set_to_none=True)
        scale = phase.batch_size / IMAGES
        return PhaseCost(
            name=phase.name,
            steps=phase.steps,
            batch_size=phase.batch_size,
            step=Cost(macs=round(scale * counter.macs), kernels=counter.kernels),
            activations=round(scale * kept),
        )

    def _autocast(self) -> torch.autocast:
        mixed = self.config.profile.precision == "bf16-mixed"
        return torch.autocast("cpu", torch.bfloat16, enabled=mixed)

    def _completion(self, method: Method) -> Callable[[float], Cost]:
        """From a complete image and one with a small hole, with which a sampler's cost grows."""
        size = self.config.profile.image_size
        method.eval()
        share = max(size // 16, 8) / size
        whole = self._completed(method, 0.0)
        # Who samples without a hole does so whatever its size, and takes long to count.
        holed = self._completed(method, share) if whole.kernels < SAMPLER else whole

        def cost(missing: float) -> Cost:
            times = missing / share**2
            return Cost(
                macs=round(whole.macs + times * (holed.macs - whole.macs)),
                kernels=round(whole.kernels + times * (holed.kernels - whole.kernels)),
            )

        return cost

    def _completed(self, method: Method, hole: float) -> Cost:
        batch = _batch(self.config.profile.image_size, 1, hole=hole)
        with torch.no_grad(), _Counter() as counter:
            method.complete(batch.masked, batch.hole, torch.Generator().manual_seed(0))
        return Cost(counter.macs, counter.kernels)


class _Counter(TorchDispatchMode):
    """Counts what is computed inside it, and leaves out what costs most."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.macs = self.kernels = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        self.kernels += not func.is_view
        formula = FORMULAS.get(func._overloadpacket)
        if formula is None:
            return func(*args, **kwargs)
        large = any(isinstance(value, Tensor) and value.numel() > SMALL for value in args)
        out = _zeros(func, args, kwargs) if large else func(*args, **kwargs)
        self.macs += formula(*args, **kwargs, out_val=out) // 2
        return out


def _zeros(func: Any, args: Sequence[Any], kwargs: Any) -> Any:
    """What `func` would return, but zeros."""
    on_meta = tree_map_only(Tensor, lambda tensor: tensor.to("meta"), (tuple(args), kwargs))
    shapes = func(*on_meta[0], **on_meta[1])
    return tree_map_only(Tensor, lambda tensor: torch.zeros_like(tensor, device="cpu"), shapes)


@contextmanager
def _kept_bytes() -> Iterator[list[int]]:
    """Collects the sizes of what autograd keeps for the backward pass, and lets go of it.

    What several operations keep counts once; parameters do not, and stay.
    """
    sizes: list[int] = []
    seen: dict[int, StorageWeakRef] = {}  # which holds the address, so that no other gets it

    def pack(tensor: Tensor) -> Any:
        if isinstance(tensor, torch.nn.Parameter):
            return tensor
        storage = StorageWeakRef(tensor.untyped_storage())
        if seen.setdefault(storage.cdata, storage) is storage:
            sizes.append(_bytes(tensor))
        return tensor.shape, tensor.dtype

    def unpack(kept: Any) -> Tensor:
        return kept if isinstance(kept, Tensor) else torch.zeros(kept[0], dtype=kept[1])

    with saved_tensors_hooks(pack, unpack):
        yield sizes


def _batch(size: int, count: int, *, hole: float) -> Batch:
    """Random images whose hole is a square in the corner. Args: hole: its share of a side."""
    missing = torch.zeros(count, 1, size, size)
    edge = math.ceil(hole * size)
    missing[:, :, :edge, :edge] = 1
    return Batch(
        image=torch.rand(count, 3, size, size) * 2 - 1,
        hole=missing,
        labels=torch.randint(len(CLASSES), (count, size, size)),
    )


def _all_bytes(module: torch.nn.Module) -> int:
    return sum(map(_bytes, [*module.parameters(), *module.buffers()]))


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
