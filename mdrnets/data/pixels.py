"""Convert images and holes of files to tensors of networks and back.

In files, images are uint8 RGB, N×H×W×3, and holes bool, N×H×W; inside networks images are float32,
N×3×H×W in [-1, 1], and holes float32, N×1×H×W. Batches of training come from `BatchSampler`.
"""

import numpy as np
import torch
from torch import Tensor


def to_tensor(images: np.ndarray, device: torch.device | str = "cpu") -> Tensor:
    """Convert images, uint8 N×H×W×3, to float32 N×3×H×W in [-1, 1]."""
    return normalise_pixels(torch.from_numpy(np.array(images, order="C")).to(device))


def normalise_pixels(pixels: Tensor) -> Tensor:
    """Convert pixels on any device, uint8 N×H×W×3, to float32 N×3×H×W in [-1, 1]."""
    planes = pixels.permute(0, 3, 1, 2)
    return planes.to(torch.float32, memory_format=torch.contiguous_format).div_(127.5).sub_(1)


def hole_to_tensor(holes: np.ndarray, device: torch.device | str = "cpu") -> Tensor:
    """Convert holes, bool N×H×W, to float32 N×1×H×W, 1 = missing."""
    return torch.from_numpy(holes).to(device).float()[:, None]


def to_pixels(tensor: Tensor) -> np.ndarray:
    """Convert N×3×H×W, clamped to [-1, 1], to uint8 N×H×W×3; the exact inverse of `to_tensor`."""
    scaled = tensor.detach().float().clamp(-1, 1).add(1).mul(127.5).round()
    return scaled.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy()
