"""Where the parts are painted: a window of the canvas in body, head and face coordinates.

Body coordinates (p, q) are upright with the origin between the eyes; head coordinates (u, v)
follow the head's roll; face coordinates (a, b) lie on the face as seen from the front, wrapped
around a cylinder that turns with the head, so that a part drawn straight is seen in the pose.
All of them are in head units.
"""

from dataclasses import dataclass, replace

import numpy as np

from samples.renderer.canvas import EVERYWHERE, Canvas, Window, as_planes, noise, strands
from samples.renderer.scene import Pose, Scene

_CYLINDER = 0.8  # radius
_FOLLOW = 0.55  # how much of the face's turn the outline of the head follows
_NOD = 0.5  # how far the middle of the face moves for a pitch of one radian
_MARGIN = 3  # samples around a window, for slopes


@dataclass(frozen=True)
class View:
    """A window of the canvas.

    Attributes:
        canvas, scene: what is painted on, and what is painted.
        table: the picture's random values, see `canvas.noise_table`.
        window: the rows and columns of the canvas.
        p, q, u, v, a, b: h×w coordinates of the samples.
    """

    canvas: Canvas
    scene: Scene
    table: np.ndarray
    window: Window
    p: np.ndarray
    q: np.ndarray
    u: np.ndarray
    v: np.ndarray
    a: np.ndarray
    b: np.ndarray

    @property
    def step(self) -> float:
        """The distance of two samples."""
        return 2 / (len(self.canvas.labels) * self.scene.pose.scale)

    @property
    def person(self) -> np.ndarray:
        """h×w: what is already painted over the backdrop."""
        return self.canvas.labels[self.window] > 0

    def around(self, inside: np.ndarray) -> "View":
        """The smallest view that contains the True samples of an h×w array."""
        rows, columns = self.window
        top, bottom = _extent(np.any(inside, axis=1))
        left, right = _extent(np.any(inside, axis=0))
        box = (slice(top, bottom), slice(left, right))
        y, x = rows.start or 0, columns.start or 0
        return replace(
            self,
            window=(slice(y + top, y + bottom), slice(x + left, x + right)),
            **{name: getattr(self, name)[box] for name in "pquvab"},
        )

    def near(self, a: float, b: float, *, width: float, height: float) -> "View":
        """The view of a part of the face with this middle and these half-sizes."""
        return self.around((np.abs(self.a - a) < width) & (np.abs(self.b - b) < height))

    def paint(
        self,
        field: np.ndarray,
        colour: np.ndarray,
        *,
        opacity: float | np.ndarray = 1.0,
        label: str | None = None,
    ) -> None:
        """`Canvas.paint` in this window."""
        self.canvas.paint(field, colour, window=self.window, opacity=opacity, label=label)

    def blend(self, weight: np.ndarray, colour: np.ndarray) -> None:
        """`Canvas.blend` in this window."""
        self.canvas.blend(weight, colour, window=self.window)

    def shade(self, weight: np.ndarray, tint: np.ndarray | float) -> None:
        """`Canvas.shade` in this window."""
        self.canvas.shade(weight, tint, window=self.window)

    def noise(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Smooth noise in [0, 1), one value for each unit square."""
        return noise(x, y, self.table)

    def strands(self, position: np.ndarray) -> np.ndarray:
        """Noise along one axis in [0, 1), one value for each unit."""
        return strands(position, self.table)


def view_scene(canvas: Canvas, scene: Scene, table: np.ndarray) -> View:
    """The whole canvas."""
    pose = scene.pose
    p, q = np.broadcast_arrays((canvas.x - pose.x) / pose.scale, (canvas.y - pose.y) / pose.scale)
    sine, cosine = np.sin(pose.roll), np.cos(pose.roll)
    u, v = p * cosine + q * sine, q * cosine - p * sine
    a, b = _on_face(u, v, pose)
    return View(canvas, scene, table, EVERYWHERE, p, q, u, v, a, b)


def _on_face(u: np.ndarray, v: np.ndarray, pose: Pose) -> tuple[np.ndarray, np.ndarray]:
    """Turn the cylinder back: a = R sin(arcsin(u/R) − yaw), continued straight past its edges."""
    sine, cosine = np.sin(pose.yaw), np.cos(pose.yaw)
    across = u / _CYLINDER + _FOLLOW * sine
    seen = np.clip(across, -cosine if sine > 0 else -1.0, cosine if sine < 0 else 1.0)
    depth = np.sqrt(1 - seen * seen)
    a = _CYLINDER * (seen * cosine - depth * sine + (across - seen))
    return a, v - _NOD * np.sin(pose.pitch) * (depth - 0.3)


def _extent(occupied: np.ndarray) -> tuple[int, int]:
    """First and one past the last True, with a margin; a few samples where there is none."""
    places = np.flatnonzero(occupied)
    if not places.size:
        return 0, _MARGIN
    return max(int(places[0]) - _MARGIN, 0), min(int(places[-1]) + 1 + _MARGIN, occupied.size)


def mix(first: np.ndarray, second: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """3×h×w planes between two colours, by an h×w weight in [0, 1]."""
    start = as_planes(first)
    return start + weight * (as_planes(second) - start)
