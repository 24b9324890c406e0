"""An exponential moving average of a network's weights."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from mdrnets.networks.frozen import freeze
from mdrnets.networks.step_count import StepCount


class MovingAverage(StepCount):
    """A frozen copy of a network whose weights follow an exponential moving average.

    The decay rises from 0.2 to its final value, as in TensorFlow's averages with a step count.
    Otherwise the average would stay close to the initial weights in a short training.
    """

    updates: Tensor

    def __init__(self, network: nn.Module, *, decay: float) -> None:
        super().__init__("updates")
        self.network = freeze(copy.deepcopy(network))
        self.decay = decay

    def forward(self, *inputs: Any) -> Any:
        return self.network(*inputs)

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Update the averages with the network's parameters and copy its buffers."""
        count = self.count_update()
        decay = min(self.decay, (1 + count) / (10 + count))
        averages: list[Tensor] = list(self.network.parameters())
        current: list[Tensor] = list(network.parameters())
        torch._foreach_lerp_(averages, current, 1 - decay)  # one call for hundreds of parameters
        for own, buffer in zip(self.network.buffers(), network.buffers(), strict=True):
            own.copy_(buffer)
