"""Full precision under autocast: for sums, exponentials and small differences."""

import torch
from torch import Tensor


def full_precision(x: Tensor) -> Tensor:
    """Return x in float32, or as it is if it is more precise."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def without_autocast(x: Tensor) -> torch.autocast:
    """A context in which operations on the device of x keep the types of their arguments."""
    device = "cpu" if x.is_meta else x.device.type  # autocast has no meta device
    return torch.autocast(device, enabled=False)
