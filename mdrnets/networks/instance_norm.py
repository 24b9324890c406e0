"""Instance normalisation whose statistics are in full precision under autocast."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class InstanceNorm2d(nn.InstanceNorm2d):
    """`torch.nn.InstanceNorm2d` without weights, with its statistics in at least float32.

    PyTorch computes them in the type of x on a CPU, unless there is a weight of another type.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Args: x B×channels×H×W. Returns its shape and type."""
        if x.dtype not in (torch.bfloat16, torch.float16):
            return super().forward(x)
        one = torch.ones(self.num_features, device=x.device)
        return F.instance_norm(x, weight=one, bias=torch.zeros_like(one), eps=self.eps)
