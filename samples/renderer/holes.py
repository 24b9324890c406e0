"""Irregular holes for the built-in data.

In the manner of Liu et al. (ECCV 2018, §4.1), who took theirs from occlusions between video frames,
with random dilation, rotation and cropping, in six steps of hole ratio, half of each step without
the image border: here strokes and blots stand for the occlusions.
"""

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

_SHEET = 1.5  # side of the sheet that the hole is cropped from, in sizes
_MARGIN = 16  # sizes in the margin that a hole away from the border keeps


def irregular_hole(
    rng: np.random.Generator, size: int, step: int, *, at_border: bool
) -> np.ndarray:
    """Draw one hole.

    Args:
        rng: the only source of randomness.
        size: side in pixels, at least 32: a smaller hole cannot have every ratio.
        step: 0…5; the hole ratio lies strictly between step·10 % and (step + 1)·10 %.
        at_border: whether the hole touches the image border; otherwise it keeps a margin.

    Returns:
        bool size×size, True = hole.
    """
    while True:
        ratio = (step + _between(rng, 0.1, 0.95)) / 10
        thin = _crop(rng, _turn(rng, _scribble(rng, size, ratio * _between(rng, 0.3, 0.8))), size)
        hole = _dilate(thin, ratio, allowed=_inner(size, 0 if at_border else size // _MARGIN))
        if step < 10 * hole.mean() < step + 1 and at_border == _touches_border(hole):
            return hole


def _scribble(rng: np.random.Generator, size: int, ratio: float) -> np.ndarray:
    """Strokes and blots on a sheet until they cover the ratio, bool."""
    side = round(_SHEET * size)
    sheet = Image.new("1", (side, side))
    pen = ImageDraw.Draw(sheet)
    blots = _between(rng, 0.0, 0.5)  # share of blots; the rest are strokes
    while True:
        if rng.random() < blots:
            pen.polygon(_blot(rng, size, side), fill=1)
        else:
            width = round(_between(rng, 0.01, 0.07) * size) + 1
            points = _stroke(rng, size, side)
            pen.line(points, fill=1, width=width)
            for x, y in points:  # round joints and ends
                pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=1)
        drawn = np.asarray(sheet)
        if drawn.mean() >= ratio:
            return drawn


def _stroke(rng: np.random.Generator, size: int, side: int) -> list[tuple[float, float]]:
    """Corners of a line that wanders from a random place."""
    x, y = side * rng.random(), side * rng.random()
    heading = 2 * np.pi * rng.random()
    points = [(x, y)]
    for _ in range(2 + int(8 * rng.random())):
        heading += _between(rng, -1.2, 1.2)
        length = _between(rng, 0.04, 0.22) * size
        x, y = x + length * np.cos(heading), y + length * np.sin(heading)
        points.append((x, y))
    return points


def _blot(rng: np.random.Generator, size: int, side: int) -> list[tuple[float, float]]:
    """Corners of an uneven polygon around a random place."""
    x, y = side * rng.random(), side * rng.random()
    radius = _between(rng, 0.03, 0.14) * size
    corners = 5 + int(8 * rng.random())
    reaches = [radius * _between(rng, 0.5, 1.4) for _ in range(corners)]
    angles = [2 * np.pi * corner / corners for corner in range(corners)]
    return [
        (x + reach * np.cos(angle), y + reach * np.sin(angle))
        for reach, angle in zip(reaches, angles, strict=True)
    ]


def _turn(rng: np.random.Generator, drawn: np.ndarray) -> np.ndarray:
    """Rotate by any angle and flip."""
    turned = ndimage.rotate(drawn.astype(np.uint8), 360 * rng.random(), reshape=False, order=0)
    return turned[:: 1 if rng.random() < 0.5 else -1, :: 1 if rng.random() < 0.5 else -1] > 0


def _crop(rng: np.random.Generator, drawn: np.ndarray, size: int) -> np.ndarray:
    """A random square of the sheet."""
    room = len(drawn) - size + 1
    top, left = int(room * rng.random()), int(room * rng.random())
    return drawn[top : top + size, left : left + size]


def _inner(size: int, margin: int) -> np.ndarray:
    """True inside the margin, bool size×size."""
    inner = np.zeros((size, size), dtype=bool)
    inner[margin : size - margin, margin : size - margin] = True
    return inner


def _dilate(thin: np.ndarray, ratio: float, *, allowed: np.ndarray) -> np.ndarray:
    """Grow evenly, within `allowed`, until the ratio is reached or just passed."""
    thin = thin & allowed
    if not thin.any():
        return thin
    distance = np.where(allowed, ndimage.distance_transform_edt(~thin), np.inf)
    reached = np.partition(distance, round(ratio * distance.size), axis=None)
    return distance <= reached[round(ratio * distance.size)]


def _touches_border(hole: np.ndarray) -> bool:
    return bool(hole.sum() > hole[1:-1, 1:-1].sum())


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    return low + (high - low) * rng.random()
