"""What is behind the person."""

import numpy as np

from samples.renderer.canvas import as_planes, bump, ramp
from samples.renderer.draws import Draw
from samples.renderer.view import View, mix


def paint_backdrop(view: View, draw: Draw) -> None:
    """Fill the whole picture with the scene's backdrop, slightly out of focus."""
    x, y = np.broadcast_arrays(view.canvas.x, view.canvas.y)
    paint = {
        "gradient": _gradient,
        "blobs": _blobs,
        "bokeh": _bokeh,
        "wall": _wall,
        "stripes": _stripes,
        "outdoors": _outdoors,
        "bricks": _bricks,
    }[view.scene.backdrop]
    view.blend(np.ones_like(x), paint(view, draw, x, y))


def _gradient(view: View, draw: Draw, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Studio paper with a lit spot."""
    base = draw.colour(saturation=(0.05, 0.5), value=(0.15, 0.75))
    spot = bump(x - draw.triangular(0.6), y - draw.triangular(0.5), width=1.8, height=1.6)
    return mix(base * 0.55, np.minimum(base * 1.35 + 0.05, 1), spot)


def _blobs(view: View, draw: Draw, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Mottled canvas."""
    first = draw.colour(saturation=(0.1, 0.5), value=(0.2, 0.6))
    second = draw.near(first * draw.between((0.4, 1.5)), 0.15)
    rate = draw.between((1.2, 2.6))
    weight = 0.65 * view.noise(x * rate + 4, y * rate + 4) + 0.35 * view.noise(
        4 * x + 2 * y, 4 * y - 2 * x
    )
    return mix(first, second, ramp(weight, 0.25, 0.75))


def _bokeh(view: View, draw: Draw, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Lights out of focus."""
    base = draw.colour(saturation=(0.2, 0.7), value=(0.06, 0.25))
    colour = mix(base, base * 1.8, ramp(y, 1.0, -1.0))
    for _ in range(9):
        glow = draw.colour(saturation=(0.1, 0.7), value=(0.5, 1.0))
        radius = draw.between((0.08, 0.24))
        distance = (
            np.sqrt((x - draw.triangular(1.4)) ** 2 + (y - draw.triangular(1.4)) ** 2) / radius
        )
        disc = ramp(distance, 1.05, 0.85) * (0.7 + 0.3 * ramp(distance, 0.5, 0.9))
        colour = mix(colour, glow, draw.between((0.2, 0.6)) * disc)
    return colour


def _wall(view: View, draw: Draw, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A plain wall with a door frame or a window's light."""
    base = draw.colour(saturation=(0.02, 0.3), value=(0.5, 0.92))
    edge = x - draw.triangular(1.3)
    other = draw.colour(saturation=(0.05, 0.5), value=(0.3, 0.9))
    colour = mix(base, other, ramp(edge * (1 if draw.chance(0.5) else -1), 0.0, 0.04))
    return colour * (0.92 + 0.16 * ramp(x * draw.triangular(1.0) - y * 0.3, -1.0, 1.0))


def _stripes(view: View, draw: Draw, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Wallpaper, planks or a curtain."""
    base = draw.colour(saturation=(0.05, 0.45), value=(0.35, 0.85))
    second = draw.near(base * draw.between((0.6, 0.9)), 0.06)
    angle, rate = draw.pick((("upright", 3), ("level", 1), ("slanted", 1))), draw.between((6, 16))
    along = {"upright": x, "level": y, "slanted": 0.8 * x + 0.6 * y}[angle]
    return mix(base, second, ramp(np.sin(along * rate + draw.between((0, 6))), -0.4, 0.4))


def _outdoors(view: View, draw: Draw, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Sky, trees and meadow."""
    sky = draw.colour(saturation=(0.0, 0.1), value=(0.75, 1.0)) * np.array([0.72, 0.86, 1.0])
    leaves = np.array([0.26, 0.40, 0.20]) * draw.between((0.6, 1.4))
    meadow = draw.near((0.45, 0.55, 0.30), 0.15)
    cloud = ramp(view.noise(x * 1.6 + 2, y * 3 + 5), 0.45, 0.85)
    colour = mix(mix(sky, np.array([0.9, 0.95, 1.0]), ramp(y, -1.0, 0.2)), np.ones(3), 0.6 * cloud)
    skyline = draw.between((-0.9, 0.2)) + 0.7 * (view.noise(x * 2.2 + 9, 0 * x) - 0.5)
    skyline = skyline + 0.2 * (view.noise(x * 9, 0 * x + 3) - 0.5)
    foliage = as_planes(leaves) * (
        0.6
        + 0.9
        * (
            0.6 * view.noise(6 * x + 3 * y, 6 * y - 3 * x)
            + 0.4 * view.noise(9 * x - 7 * y, 9 * y + 7 * x)
        )
    )
    colour = mix(colour, foliage, ramp(y - skyline, -0.03, 0.05))
    return mix(colour, meadow, ramp(y, 0.45, 0.65))


def _bricks(view: View, draw: Draw, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A brick wall."""
    base = draw.near((0.58, 0.33, 0.26), 0.15)
    if draw.chance(0.3):
        base = np.full(3, draw.between((0.6, 0.85)))
    row = np.floor(y * 5.5)
    place = x * 2.4 + 0.5 * (row % 2)
    brick = view.table[row.astype(np.int64) % 32, np.floor(place).astype(np.int64) % 32]
    joint = np.minimum(
        np.abs(place - np.rint(place)) / 2.4, np.abs(y * 5.5 - np.rint(y * 5.5)) / 5.5
    )
    colour = as_planes(base) * (0.75 + 0.4 * brick)
    return mix(np.minimum(base * 0.5 + 0.35, 1), colour, ramp(joint, 0.004, 0.022))
