"""Grey values and edges of an image: the input of CTSDG's structure stream.

Guo et al., "Image Inpainting via Conditional Texture and Structure Dual Generation" (ICCV 2021,
https://arxiv.org/abs/2108.09760). The authors' code computes both after an 8-bit conversion
in which negative values wrap around; here they are computed from the original image.
"""

from typing import Annotated

import numpy as np
import torch
from skimage.feature import canny
from torch import Tensor

from mdrnets.config.marks import Chosen
from mdrnets.data.pixels import normalise_pixels
from mdrnets.losses.total_variation import dilate

LUMINANCE = (0.2125, 0.7154, 0.0721)  # scikit-image's rgb2gray
# Pixels around a hole in which the filling can cause edges.
RIM: Annotated[int, Chosen("excludes edges that the filling causes")] = 2


def to_grey(image: Tensor) -> Tensor:
    """Args: image B×3×H×W in [-1, 1]. Returns B×1×H×W in [0, 1]."""
    red, green, blue = ((image + 1) / 2).split(1, dim=1)
    grey: Tensor = LUMINANCE[0] * red + LUMINANCE[1] * green + LUMINANCE[2] * blue
    return grey


def detect_edges(grey_01: Tensor, *, sigma: float) -> Tensor:
    """Canny edges with scikit-image's default thresholds.

    Args: grey_01 B×1×H×W in [0, 1]. Returns B×1×H×W of zeros and ones, without gradient.
    """
    planes = grey_01.detach().float().cpu().numpy()[:, 0]
    edges = np.stack([canny(plane, sigma=sigma) for plane in planes])
    return torch.from_numpy(edges).unsqueeze(1).to(grey_01)


def edges_of_pixels(pixels: np.ndarray, *, sigma: float) -> np.ndarray:
    """Edges of one image: uint8 H×W×3 → bool H×W."""
    image = normalise_pixels(torch.from_numpy(pixels)[None])
    return detect_edges(to_grey(image), sigma=sigma)[0, 0].bool().numpy()


def detect_visible_edges(masked: Tensor, hole: Tensor, *, sigma: float) -> Tensor:
    """Detect edges of the visible part, independent of the pixels in the hole.

    The hole is filled with the mean of the visible pixels, and edges near it are removed.

    Args: masked B×3×H×W in [-1, 1]; hole B×1×H×W, 1 = missing. Returns B×1×H×W.
    """
    valid = 1 - hole
    plane = to_grey(masked) * valid
    mean = plane.sum(dim=(2, 3), keepdim=True) / valid.sum(dim=(2, 3), keepdim=True).clamp(min=1)
    filled = plane + mean * hole
    return visible_edges(detect_edges(filled, sigma=sigma), hole)


def visible_edges(edge: Tensor, hole: Tensor) -> Tensor:
    """Remove the edges in the hole and near it. Args: edge, hole B×1×H×W. Returns the same."""
    return edge * (1 - dilate(hole, RIM))
