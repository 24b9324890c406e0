"""What PyTorch computes below autocast."""

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class SeenResults(TorchDispatchMode):
    """Operation, number of dimensions and type of every tensor that an operation returns."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[Any, int, torch.dtype]] = set()

    def __torch_dispatch__(
        self, operation: Any, types: Any, arguments: Any = (), options: Any = None
    ) -> Any:
        result = operation(*arguments, **(options or {}))
        if isinstance(result, torch.Tensor):
            self.seen.add((operation, result.dim(), result.dtype))
        return result
