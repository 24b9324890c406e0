"""Adversarial losses, on the logits of a discriminator, as means over all its outputs.

`hinge`: Lim & Ye 2017; `bce`: the non-saturating loss of Goodfellow et al. 2014; `lsgan`: Mao et
al. 2017.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Adversarial = Literal["hinge", "bce", "lsgan"]


def discriminator_loss(real: Tensor, fake: Tensor, *, kind: Adversarial) -> Tensor:
    """Half the loss on real logits plus half the loss on fake ones (detached by the caller)."""
    if kind == "hinge":
        on_real, on_fake = F.relu(1 - real).mean(), F.relu(1 + fake).mean()
    elif kind == "bce":
        on_real, on_fake = F.softplus(-real).mean(), F.softplus(fake).mean()
    else:
        on_real, on_fake = (real - 1).square().mean(), fake.square().mean()
    return 0.5 * (on_real + on_fake)


def generator_loss(fake: Tensor, *, kind: Adversarial) -> Tensor:
    """What the generator minimises on the logits of its own output."""
    losses = {
        "hinge": lambda: -fake.mean(),
        "bce": lambda: F.softplus(-fake).mean(),
        "lsgan": lambda: (fake - torch.ones_like(fake)).square().mean(),
    }
    return losses[kind]()
