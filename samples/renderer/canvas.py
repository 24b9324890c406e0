"""The picture under construction: implicit shapes in, antialiased colours and exact labels out.

A shape is a *field*: an array that is negative inside and positive outside. Its scale does not
matter, since the edge is found from the field's own slope. Colours are planar, 3×H×W, in [0, 1].
"""

import numpy as np

from mdrnets.data.classes import CLASSES

SUPERSAMPLING = 2
Window = tuple[slice, slice]
EVERYWHERE: Window = (slice(None), slice(None))
_TABLE = 32  # period of the noises


class Canvas:
    """A square supersampled picture with its class map.

    Attributes:
        x, y: 1×n and n×1 coordinates of the samples; the picture spans [-1, 1], y points down.
        rgb: 3×n×n.
        labels: n×n uint8 class ids.
    """

    def __init__(self, *, size: int) -> None:
        self.size = size
        n = size * SUPERSAMPLING
        axis = (np.arange(n) + 0.5) * (2 / n) - 1
        self.x, self.y = axis[None, :], axis[:, None]
        self.rgb = np.zeros((3, n, n))
        self.labels = np.zeros((n, n), dtype=np.uint8)

    def paint(
        self,
        field: np.ndarray,
        colour: np.ndarray,
        *,
        window: Window = EVERYWHERE,
        opacity: float | np.ndarray = 1.0,
        label: str | None = None,
    ) -> None:
        """Cover the shape with a colour, (3,) or 3×h×w, and with a class if one is named."""
        self.blend(coverage(field) * opacity, colour, window=window)
        if label is not None:
            self.labels[window][field < 0] = CLASSES.index(label)

    def blend(self, weight: np.ndarray, colour: np.ndarray, *, window: Window = EVERYWHERE) -> None:
        """Move towards a colour, (3,) or 3×h×w, by a weight in [0, 1]."""
        target = self.rgb[:, window[0], window[1]]
        target += weight * (as_planes(colour) - target)

    def shade(
        self, weight: np.ndarray, tint: np.ndarray | float, *, window: Window = EVERYWHERE
    ) -> None:
        """Multiply by `tint` where the weight is 1, by nothing where it is 0."""
        target = self.rgb[:, window[0], window[1]]
        target *= 1 - weight * (1 - as_planes(np.asarray(tint)))

    def image(self) -> np.ndarray:
        """The picture, uint8 H×W×3."""
        mean = sum(_subgrids(self.rgb)) / SUPERSAMPLING**2
        return np.ascontiguousarray(
            np.rint(np.clip(mean, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
        )

    def class_map(self) -> np.ndarray:
        """The class with most samples in each pixel, uint8 H×W; of equals the higher id wins."""
        ids = np.arange(len(CLASSES), dtype=np.uint8)[::-1, None, None]
        votes = sum((samples == ids).astype(np.uint8) for samples in _subgrids(self.labels))
        return (len(CLASSES) - 1 - np.argmax(votes, axis=0)).astype(np.uint8)


def _subgrids(planes: np.ndarray) -> list[np.ndarray]:
    """The first sample of every pixel, the second, …"""
    steps = range(SUPERSAMPLING)
    return [planes[..., i::SUPERSAMPLING, j::SUPERSAMPLING] for i in steps for j in steps]


def as_planes(colour: np.ndarray) -> np.ndarray:
    """A colour (3,) as 3×1×1; planes stay as they are."""
    return colour[:, None, None] if colour.ndim == 1 else colour


def coverage(field: np.ndarray) -> np.ndarray:
    """How much of each sample lies inside, from the field's value and slope."""
    slope_x, slope_y = slopes(field)
    slope = np.sqrt(slope_x * slope_x + slope_y * slope_y) + 1e-9
    return np.clip(0.5 - field / slope, 0, 1)


def slopes(field: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Differences of a field from sample to sample, along x and along y."""
    slope_x, slope_y = np.empty_like(field), np.empty_like(field)
    slope_x[:, 1:-1] = (field[:, 2:] - field[:, :-2]) / 2
    slope_x[:, 0] = slope_x[:, 1]
    slope_x[:, -1] = slope_x[:, -2]
    slope_y[1:-1] = (field[2:] - field[:-2]) / 2
    slope_y[0] = slope_y[1]
    slope_y[-1] = slope_y[-2]
    return slope_x, slope_y


def bump(x: np.ndarray, y: np.ndarray, *, width: float, height: float) -> np.ndarray:
    """A smooth hill: 1 in the middle, 0 outside the ellipse with these half-axes."""
    inside = np.maximum(1 - (x / width) ** 2 - (y / height) ** 2, 0)
    return inside * inside


def line(distance: np.ndarray, *, width: float | np.ndarray) -> np.ndarray:
    """A soft line: 1 where the distance is 0, 1/e at the width."""
    return np.exp(-((distance / width) ** 2))


def ellipse(x: np.ndarray, y: np.ndarray, *, width: float, height: float) -> np.ndarray:
    """Field of an ellipse with these half-axes."""
    return (x / width) ** 2 + (y / height) ** 2 - 1


def ramp(value: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 up to `low`, 1 from `high` on, smooth between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def noise_table(rng: np.random.Generator) -> np.ndarray:
    """Random values in [0, 1) for `noise` and `strands`."""
    return rng.random((_TABLE, _TABLE))


def noise(x: np.ndarray, y: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Smooth noise in [0, 1) with one value for each unit square."""
    column, row = np.floor(x), np.floor(y)
    s, t = x - column, y - row
    s, t = s * s * (3 - 2 * s), t * t * (3 - 2 * t)
    j, i = column.astype(np.int64) % _TABLE, row.astype(np.int64) % _TABLE
    right, below = (j + 1) % _TABLE, (i + 1) % _TABLE
    top = table[i, j] + s * (table[i, right] - table[i, j])
    bottom = table[below, j] + s * (table[below, right] - table[below, j])
    return top + t * (bottom - top)


def strands(position: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Noise along one axis in [0, 1), one value for each unit; period 1024 units."""
    values = table.reshape(-1)
    left = np.floor(position)
    t = position - left
    index = left.astype(np.int64) % values.size
    return values[index] + t * (values[(index + 1) % values.size] - values[index])


def dots(
    x: np.ndarray, y: np.ndarray, table: np.ndarray, *, radius: float, share: float
) -> np.ndarray:
    """Field of one round dot in a `share` of the unit squares, at a random place in each."""
    column, row = np.floor(x), np.floor(y)
    j, i = column.astype(np.int64) % _TABLE, row.astype(np.int64) % _TABLE
    chosen = table[i, j] < share
    along = radius + (1 - 2 * radius) * table[j, i]
    across = radius + (1 - 2 * radius) * table[i, (j + 7) % _TABLE]
    distance = (x - column - along) ** 2 + (y - row - across) ** 2 - radius * radius
    return np.where(chosen, distance, 1.0)
