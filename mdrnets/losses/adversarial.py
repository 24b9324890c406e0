"""Adversarial losses: means over all logits of a discriminator, in full precision.

`hinge`: Lim & Ye 2017; `bce`: the non-saturating loss of Goodfellow et al. 2014; `lsgan`: Mao et
al. 2017.
"""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from mdrnets.networks.precision import full_precision

Adversarial = Literal["hinge", "bce", "lsgan"]


def discriminator_loss(real: Tensor, fake: Tensor, *, kind: Adversarial) -> Tensor:
    """Mean of the losses on real and on fake logits. The caller detaches the fake images."""
    real, fake = full_precision(real), full_precision(fake)
    if kind == "hinge":
        real_loss, fake_loss = F.relu(1 - real).mean(), F.relu(1 + fake).mean()
    elif kind == "bce":
        real_loss, fake_loss = F.softplus(-real).mean(), F.softplus(fake).mean()
    else:
        real_loss, fake_loss = (real - 1).square().mean(), fake.square().mean()
    return 0.5 * (real_loss + fake_loss)


def generator_loss(fake: Tensor, *, kind: Adversarial) -> Tensor:
    """Loss of the generator on the logits of its output."""
    fake = full_precision(fake)
    if kind == "hinge":
        return -fake.mean()
    if kind == "bce":
        return F.softplus(-fake).mean()
    return (fake - 1).square().mean()
