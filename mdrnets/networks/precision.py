"""Full precision under autocast: for sums, exponentials and small differences."""

import torch
from torch import Tensor


def full_precision(x: Tensor) -> Tensor:
    """Return x in float32, or as it is if it is more precise."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
