"""Seeded weights for FID's Inception, where the real ones are absent."""

import torch
from torch import Tensor

from mdrnets.metrics.features import fid_inception


def random_weights() -> dict[str, Tensor]:
    """In the form of pytorch-fid's file; the features are of order one, as the real ones are."""
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for key, value in fid_inception().state_dict().items():
        if key.endswith("num_batches_tracked"):
            continue  # the published file has none
        noise = torch.randn(value.shape, generator=generator)
        if value.ndim > 1:
            weights[key] = noise * (2 / value[0].numel()) ** 0.5
        else:
            weights[key] = 1 + noise.abs() / 4 if "mean" not in key else noise / 4
        if key.startswith("Mixed_7c.") and key.endswith(("bn.weight", "bn.bias")):
            weights[key] /= 20
    return weights
