"""Freezing: of trained networks for good, of a discriminator for its generator's loss."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

Network = TypeVar("Network", bound=nn.Module)


def freeze(network: Network) -> Network:
    """Put a network permanently into eval mode and disable gradients for its parameters.

    Gradients still flow *through* it to its input. `parent.train()` has no effect on it.
    """
    network.requires_grad_(False)
    return keep_in_eval_mode(network)


def freeze_norms(network: nn.Module) -> None:
    """Make every BatchNorm use its running statistics, even after `train()`.

    The affine parameters are still trained.
    """
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            keep_in_eval_mode(module)


def keep_in_eval_mode(network: Network) -> Network:
    """Put a network into eval mode; its `train()` and that of a parent have no effect on it."""
    network.eval()
    network.train = lambda mode=True: network  # type: ignore[method-assign]
    return network


@contextmanager
def without_weight_gradients(*networks: nn.Module) -> Iterator[None]:
    """Compute no gradients for the parameters of networks that run in this block.

    For a discriminator in the generator's loss: gradients flow through it, and its own would be
    computed in vain. It must have been trainable before. Leave the block before a `yield`.
    """
    for network in networks:
        network.requires_grad_(False)
    try:
        yield
    finally:
        for network in networks:
            network.requires_grad_(True)
