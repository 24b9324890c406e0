"""From files' pixels to networks' numbers and back: the only place that converts.

In files an image is uint8 RGB, N×H×W×3; inside networks float32, N×3×H×W in [-1, 1].
"""

import numpy as np
import torch
from torch import Tensor


def to_tensor(images: np.ndarray, device: torch.device | str = "cpu") -> Tensor:
    """Args: images uint8 N×H×W×3. Returns N×3×H×W in [-1, 1]."""
    pixels = torch.from_numpy(np.array(images, order="C")).to(device)  # a quarter of the floats
    return pixels.permute(0, 3, 1, 2).contiguous().float().div_(127.5).sub_(1)


def to_pixels(tensor: Tensor) -> np.ndarray:
    """Args: N×3×H×W, clamped to [-1, 1]. Returns uint8 N×H×W×3; undoes `to_tensor` exactly."""
    scaled = tensor.detach().float().clamp(-1, 1).add(1).mul(127.5).round()
    return scaled.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy()
