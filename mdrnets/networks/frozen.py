"""Freezing of trained networks."""

from typing import TypeVar

from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def freeze(network: Network) -> Network:
    """Put a network permanently into eval mode and disable gradients for its parameters.

    Gradients still flow *through* it to its input. `parent.train()` has no effect on it.
    """
    network.eval().requires_grad_(False)
    network.train = lambda mode=True: network  # type: ignore[method-assign]
    return network
