"""A step count in the saved state that Python can read without waiting for a GPU."""

from typing import Any

import torch
from torch import Tensor, nn


class StepCount(nn.Module):
    """A network that changes its own state in training, and counts the updates in a buffer.

    Reading a buffer waits until the GPU has done all that was submitted before. Therefore the
    buffer is read only after a state was loaded; otherwise Python counts along.
    """

    updates_itself = True
    """Not to be compiled, see `compile_networks`."""

    def __init__(self, buffer: str) -> None:
        """Args: buffer: the name of the count in the state."""
        super().__init__()
        self.register_buffer(buffer, torch.zeros((), dtype=torch.int64))
        self._count_name = buffer
        self._known_count: int | None = 0

    @property
    def count(self) -> int:
        """The number of updates so far."""
        if self._known_count is None:
            self._known_count = int(self.get_buffer(self._count_name))
        return self._known_count

    @torch.no_grad()
    def count_update(self) -> int:
        """Count one more update and return the new number."""
        self._known_count = self.count + 1
        self.get_buffer(self._count_name).add_(1)
        return self._known_count

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], *arguments: Any) -> None:
        super()._load_from_state_dict(state_dict, *arguments)
        self._known_count = None
