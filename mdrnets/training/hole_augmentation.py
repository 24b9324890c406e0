"""Random variants of training holes.

Liu et al. 2018 (PConv), section 4.1: "random dilation, rotation and cropping". The amounts are
not stated; they are chosen here, and stand in the assumption ledger.
"""

from typing import Annotated

import numpy as np
import torch
import torch.nn.functional as F

from mdrnets.config.marks import Chosen

DILATE_PROBABILITY: Annotated[float, Chosen("no amount")] = 0.5
# Largest radius, as a share of the side.
DILATE_SHARE: Annotated[float, Chosen("8 pixels at 256²")] = 1 / 32
CROP_PROBABILITY: Annotated[float, Chosen("no amount")] = 0.5
# Smallest side of a crop, as a share of the side.
CROP_SHARE: Annotated[float, Chosen("no amount")] = 0.5
# A variant outside the evaluated ratios is not used.
RATIOS: Annotated[tuple[float, float], Chosen("those evaluated")] = (0.01, 0.6)


def augment_hole(hole: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A turned and mirrored hole, half of the time dilated, half of the time cropped and enlarged.

    Args:
        hole: bool H×H, True = hole, neither empty nor full.
        generator: of all draws.

    Returns:
        bool H×H, neither empty nor full: a change that would leave `RATIOS` is left out.
    """
    # Four turns and one mirror give all eight symmetries of the square.
    hole = np.rot90(hole, k=int(generator.integers(4)))
    if generator.random() < 0.5:
        hole = hole[:, ::-1]

    size = len(hole)
    if generator.random() < DILATE_PROBABILITY:
        radius = generator.integers(1, max(1, round(size * DILATE_SHARE)) + 1)
        hole = _if_evaluated(_dilated(hole, int(radius)), otherwise=hole)
    if generator.random() < CROP_PROBABILITY:
        side = generator.integers(round(size * CROP_SHARE), size + 1)
        top, left = generator.integers(0, size - side + 1, size=2)
        hole = _if_evaluated(_enlarged(hole, int(top), int(left), int(side)), otherwise=hole)
    return np.ascontiguousarray(hole)


def _if_evaluated(hole: np.ndarray, *, otherwise: np.ndarray) -> np.ndarray:
    lowest, highest = RATIOS
    return hole if lowest <= hole.mean() <= highest else otherwise


def _dilated(hole: np.ndarray, radius: int) -> np.ndarray:
    """By a square of side 2·radius + 1."""
    pixels = torch.from_numpy(hole.astype(np.float32))[None]
    grown = F.max_pool2d(pixels, kernel_size=2 * radius + 1, stride=1, padding=radius)
    return grown[0].bool().numpy()


def _enlarged(hole: np.ndarray, top: int, left: int, side: int) -> np.ndarray:
    """The crop of this corner and side, brought to the full size by nearest neighbour."""
    nearest = np.arange(len(hole)) * side // len(hole)
    return hole[np.ix_(top + nearest, left + nearest)]
