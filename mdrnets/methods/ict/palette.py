"""The colour palette of ICT's transformer, and the conversion of images to tokens.

Wan et al., "High-Fidelity Pluralistic Image Completion with Transformers" (ICCV 2021,
https://arxiv.org/abs/2103.14031), section 3.1. The authors use a palette of 512 colours clustered
from ImageNet; we cluster the training images, as they recommend for new domains.
"""

from typing import Annotated

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mdrnets.config.marks import Chosen

PIXELS: Annotated[int, Chosen("enough for 512 colours")] = 1_000_000
ITERATIONS: Annotated[int, Chosen("maximum for k-means")] = 50


def fit_palette(images: np.ndarray, *, grid: int, colours: int, seed: int) -> np.ndarray:
    """Cluster the colours of downscaled images by k-means.

    Args:
        images: uint8 N×H×W×3; if there are more than needed, a random subset is used.
        grid: cells along each side.
        colours: number of colours.
        seed: seed of the subset and of the clustering.

    Returns:
        float32 colours×3: distinct integers in [0, 255].

    Raises:
        ValueError: the images have fewer distinct colours.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import pairwise_distances_argmin_min
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(seed)
    count = min(len(images), -(-PIXELS // grid**2))
    rows = np.sort(rng.choice(len(images), count, replace=False))
    cells = [_cells(images[row], grid) for row in rows]
    pixels = np.concatenate(cells)[:PIXELS]

    distinct = np.unique(np.rint(pixels), axis=0)
    if len(distinct) < colours:
        raise ValueError(
            f"the images have only {len(distinct)} colours, expected {colours} or more"
        )

    with threadpool_limits(1):  # the summation order affects the last bits
        clusters = KMeans(
            colours, n_init=1, max_iter=ITERATIONS, random_state=int(rng.integers(2**31))
        ).fit(pixels)
    palette = np.unique(np.rint(clusters.cluster_centers_).astype(np.float32), axis=0)

    # Rounding can make two centres equal: replace them by the colours with the largest error.
    while len(palette) < colours:
        _, errors = pairwise_distances_argmin_min(distinct, palette)
        palette = np.unique(np.vstack([palette, distinct[errors.argmax()]]), axis=0)
    return palette


def _cells(image: np.ndarray, grid: int) -> np.ndarray:
    """uint8 H×W×3 → float32 grid²×3."""
    planes = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float()
    return F.adaptive_avg_pool2d(planes, grid).flatten(1).T.numpy()


def quantise(image_255: Tensor, palette: Tensor) -> Tensor:
    """Find nearest colours: B×3×h×w and V×3, both in [0, 255] → int64 B×h·w, raster order."""
    pixels = image_255.flatten(2).mT  # B×N×3
    # Use differences: a matrix product loses digits of values up to 255².
    colours = palette.expand(len(pixels), -1, -1)
    distance = torch.cdist(pixels, colours, compute_mode="donot_use_mm_for_euclid_dist")
    return distance.argmin(dim=2)


def dequantise(tokens: Tensor, palette: Tensor, grid: int) -> Tensor:
    """Int64 B×N → B×3×grid×grid in [0, 255]."""
    image: Tensor = palette[tokens].mT.unflatten(2, (grid, grid))
    return image


def reduce_to_grid(image_pm1: Tensor, hole: Tensor, grid: int) -> tuple[Tensor, Tensor]:
    """Downscale an image to the grid: the mean of each cell's visible pixels, and a mask of cells.

    A cell with any missing pixel is masked, so that no pixel of the hole reaches a known cell. The
    authors resize the mask by nearest neighbour, which lets such pixels through.

    Args:
        image_pm1: B×3×H×W in [-1, 1]; values in the hole are ignored.
        hole: B×1×H×W, 1 = missing.
        grid: cells along each side.

    Returns:
        B×3×grid×grid in [0, 255], and bool B×grid², raster order.
    """
    valid = 1 - hole
    share = F.adaptive_avg_pool2d(valid, grid)
    colour = F.adaptive_avg_pool2d((image_pm1 + 1) / 2 * 255 * valid, grid) / share.clamp(min=1e-6)
    masked = F.adaptive_max_pool2d(hole, grid).flatten(1) > 0
    return colour, masked
