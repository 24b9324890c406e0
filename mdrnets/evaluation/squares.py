"""The squares of a photograph that a network may complete: upright ones, and turned ones."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage


@dataclass(frozen=True)
class Square:
    """An upright square of a photograph, in its pixels.

    Attributes:
        left: column of its first pixel.
        top: row of its first pixel.
        side: width and height.
    """

    left: int
    top: int
    side: int

    def cut(self, array: np.ndarray) -> np.ndarray:
        """The square of an array H×W or H×W×C, as a view."""
        return array[self.top : self.top + self.side, self.left : self.left + self.side]

    def count_outside(self, hole: np.ndarray) -> int:
        """The number of pixels of a hole, bool H×W, that are not in the square."""
        return int(hole.sum()) - int(self.cut(hole).sum())

    def cut_valid(self, image: np.ndarray, hole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The square of a photograph, uint8 S×S×3, and of its hole, bool S×S."""
        return self.cut(image), self.cut(hole)

    def sample(self, completed: np.ndarray, hole: np.ndarray) -> np.ndarray:
        """The colours N×3 of a completed square, uint8 S×S×3, at the N pixels of the hole H×W."""
        return np.asarray(completed[self.cut(hole)])


@dataclass(frozen=True)
class TurnedSquare:
    """A square of a photograph that may be turned, and may extend beyond the photograph's edges.

    Positions are in pixels, x before y; whole numbers are edges of pixels.

    Attributes:
        centre: of the square.
        right: from the centre to the middle of the right side.
    """

    centre: tuple[float, float]
    right: tuple[float, float]

    @property
    def side(self) -> int:
        """Width and height in pixels of the photograph, rounded."""
        return max(1, round(2 * float(np.hypot(*self.right))))

    @property
    def corners(self) -> np.ndarray:
        """Top left, top right, bottom right and bottom left, float 4×2."""
        axes = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) @ self._axes
        return np.asarray(self.centre + axes)

    @property
    def _axes(self) -> np.ndarray:
        """From the centre to the right, and down: 2×2, a row for each."""
        x, y = self.right
        return np.array([[x, y], [-y, x]])

    def count_outside(self, hole: np.ndarray) -> int:
        """The number of pixels of a hole, bool H×W, that are not in the square."""
        return int((abs(self._position(hole)) > 1).any(axis=1).sum())

    def cut_valid(self, image: np.ndarray, hole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The square of a photograph, upright, uint8 S×S×3, and of its hole, bool S×S.

        Beyond its edges, the photograph is mirrored, as in FFHQ.
        """
        side = self.side
        matrix = self._axes[::-1, ::-1].T * 2 / side  # rows and columns, not x and y
        first = np.array(self.centre) - 0.5 + (1 / side - 1) * self._axes.sum(axis=0)

        def turn(plane: np.ndarray) -> np.ndarray:
            shape = (side, side)
            turned = ndimage.affine_transform(
                plane, matrix, first[::-1], shape, order=1, mode="mirror"
            )
            return np.asarray(turned)

        return resample_valid(image, hole, turn)

    def sample(self, completed: np.ndarray, hole: np.ndarray) -> np.ndarray:
        """The colours N×3 of a completed square, uint8 S×S×3, at the N pixels of the hole H×W."""
        x, y = ((self._position(hole) + 1) * self.side - 1).T / 2
        colours = [
            ndimage.map_coordinates(plane, [y, x], output=np.float64, order=1, mode="nearest")
            for plane in np.moveaxis(completed, -1, 0)
        ]
        return np.stack(colours, axis=-1).round().astype(np.uint8)

    def _position(self, hole: np.ndarray) -> np.ndarray:
        """Where the pixels of a hole are, N×2: (-1, -1) is the top left corner, (1, 1) opposite."""
        rows, columns = np.nonzero(hole)
        offset = np.stack([columns, rows], axis=1) + 0.5 - self.centre
        return np.asarray(offset @ self._axes.T / np.square(self.right).sum())


def resample_valid(
    image: np.ndarray, hole: np.ndarray, resample: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Resample an image with a hole; the content of the hole does not affect valid pixels.

    Args:
        image: uint8 H×W×3.
        hole: bool H×W, True = missing.
        resample: a plane, float32, with weights that are never negative and sum to 1.

    Returns:
        The image, uint8 H×W×3, and its hole, bool H×W: each pixel that the hole touches.
    """
    weight = (~hole).astype(np.float32)
    weights = resample(weight)
    scaled = np.stack([resample(image[..., channel] * weight) for channel in range(3)], axis=-1)
    values = scaled / np.maximum(weights, 1e-6)[..., None]
    return values.round().clip(0, 255).astype(np.uint8), weights < 1 - 1e-3
