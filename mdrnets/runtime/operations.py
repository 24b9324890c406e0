"""Count the multiply-accumulates of convolutions and matrix products, on CPUs and GPUs."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry, sdpa_flop

FORMULAS: dict[Any, Callable[..., int]] = flop_registry | {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: sdpa_flop,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: lambda *args, **_: (
        5 * sdpa_flop(*args[1:4]) // 2  # five products instead of two
    ),
}
"""Floating-point operations by operator. PyTorch's own table has no attention on CPUs."""


class MacCounter(TorchDispatchMode):
    """Counts what is computed inside it.

    Attributes:
        macs: multiply-accumulates so far.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.macs = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        formula = FORMULAS.get(func._overloadpacket)
        if formula is None:
            return func(*args, **kwargs)
        out = self.compute(func, args, kwargs)
        self.macs += formula(*args, **kwargs, out_val=out) // 2
        return out

    def compute(self, func: Any, args: Sequence[Any], kwargs: Any) -> Any:
        """Compute an operation that is counted."""
        return func(*args, **kwargs)
