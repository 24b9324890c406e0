"""Compile the networks of a method with `torch.compile`."""

from collections.abc import Iterator

import torch
from torch import nn

from mdrnets.methods.base import Trainable


def compile_networks(trainable: Trainable, *, backend: str = "inductor") -> int:
    """Compile every network in place, each without a graph break; returns how many.

    Modules that change their own state in training (`updates_itself`: the memory, codebooks,
    averages) stay as they are, and the networks around them are compiled in parts. So are networks
    that are entered by other methods than `forward`, which alone would be compiled
    (`compiled_in_parts`). Weights keep their names. Compiled networks draw the same random numbers
    as those that are not compiled.
    """
    torch._inductor.config.fallback_random = True
    # Otherwise a part that is a plain `nn.Sequential` or `nn.Conv2d` is not compiled. All parts
    # then share one code object, of which each part and shape needs a version. Their sizes differ,
    # so PyTorch would take them for dynamic ones, for which Inductor cannot compile all parts.
    torch._dynamo.config.wrap_top_frame = True
    torch._dynamo.config.recompile_limit = 256
    count = 0
    for network in _parts(trainable):
        network.compile(backend=backend, fullgraph=True, dynamic=False)
        count += 1
    return count


def _parts(module: nn.Module) -> Iterator[nn.Module]:
    """The largest modules that can be compiled."""
    children = module.networks() if isinstance(module, Trainable) else module.children()
    for child in children:
        has_forward = type(child).forward is not nn.Module.forward
        whole = has_forward and not isinstance(child, Trainable | nn.ModuleList | nn.ModuleDict)
        whole = whole and not getattr(child, "compiled_in_parts", False)
        if whole and not any(getattr(part, "updates_itself", False) for part in child.modules()):
            yield child
        else:
            yield from _parts(child)
