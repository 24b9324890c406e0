"""Networks that are trained elsewhere and only used here."""

from typing import TypeVar

from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def freeze(network: Network) -> Network:
    """Put a network into eval mode for good and stop gradients to its parameters.

    Gradients still flow *through* it to its input. `parent.train()` does not wake it up.
    """
    network.eval().requires_grad_(False)
    network.train = lambda mode=True: network  # type: ignore[method-assign]
    return network
