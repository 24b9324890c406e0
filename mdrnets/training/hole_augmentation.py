"""Random augmentation of training holes.

Liu et al. 2018 (PConv), section 4.1: "random dilation, rotation and cropping". The paper does not
state the amounts; our choices are listed in the assumption ledger.
"""

from typing import Annotated

import numpy as np

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
    """Rotate and flip a hole; with probability 1/2 each, dilate it, and crop and enlarge it.

    Args:
        hole: bool H×H, True = hole, neither empty nor full.
        generator: source of all random numbers.

    Returns:
        bool H×H, neither empty nor full. A change that would leave `RATIOS` is not applied.
    """
    # Four rotations and one reflection give all eight symmetries of the square.
    hole = np.rot90(hole, k=int(generator.integers(4)))
    if generator.random() < 0.5:
        hole = hole[:, ::-1]

    size = len(hole)
    if generator.random() < DILATE_PROBABILITY:
        radius = generator.integers(1, max(1, round(size * DILATE_SHARE)) + 1)
        hole = _if_evaluated(_dilate(hole, int(radius)), otherwise=hole)
    if generator.random() < CROP_PROBABILITY:
        side = generator.integers(round(size * CROP_SHARE), size + 1)
        top, left = generator.integers(0, size - side + 1, size=2)
        hole = _if_evaluated(_enlarge(hole, int(top), int(left), int(side)), otherwise=hole)
    return np.ascontiguousarray(hole)


def _if_evaluated(hole: np.ndarray, *, otherwise: np.ndarray) -> np.ndarray:
    lowest, highest = RATIOS
    return hole if lowest <= np.count_nonzero(hole) / hole.size <= highest else otherwise


def _dilate(hole: np.ndarray, radius: int) -> np.ndarray:
    """Dilate by a square of side 2·radius + 1: along the rows, then along the columns."""
    return _dilate_rows(_dilate_rows(hole, radius).T, radius).T


def _dilate_rows(hole: np.ndarray, radius: int) -> np.ndarray:
    """Dilate along the first axis; each step at most doubles the reach."""
    dilated = np.pad(hole, ((radius, radius), (0, 0)))
    reach, window = 1, 2 * radius + 1
    while reach < window:
        step = min(reach, window - reach)
        dilated = dilated[:-step] | dilated[step:]
        reach += step
    return dilated


def _enlarge(hole: np.ndarray, top: int, left: int, side: int) -> np.ndarray:
    """Crop a square and resize it to the full size by nearest neighbour."""
    nearest = np.arange(len(hole)) * side // len(hole)
    return hole[top + nearest][:, left + nearest]
