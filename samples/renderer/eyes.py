"""Eyes and brows: the two sides are one drawing, mirrored."""

import numpy as np

from samples.renderer.canvas import as_planes, bump, coverage, ellipse, line, ramp
from samples.renderer.view import View, mix

_WHITE = np.array([0.95, 0.93, 0.92])
_LASH = np.array([0.10, 0.07, 0.07])


def paint_eyes(view: View) -> None:
    """Both eyes."""
    offset = view.scene.eyes.offset
    for side in (-1, 1):
        _paint_eye(view.near(side * offset, 0.0, width=0.32, height=0.24), side=side)


def _paint_eye(view: View, *, side: int) -> None:
    scene = view.scene
    eyes = scene.eyes
    s = (side * view.a - eyes.offset) / eyes.width  # -1 inner to 1 outer corner
    w = view.b + eyes.tilt * eyes.width * s
    upper = -eyes.upper * _lid(s + 0.12)
    lower = eyes.lower * _lid(s - 0.1)
    opening = np.maximum(upper - w, w - lower) + 0.02 * np.maximum(np.abs(s) - 1, 0)

    # lids: colour above the eye, and the crease
    powder = bump(s, w + 0.8 * eyes.upper, width=1.35, height=1.5 * eyes.upper)
    view.blend(eyes.shadow_strength * powder, eyes.shadow)
    crease = line(w - 1.55 * upper + 0.012, width=0.014) * ramp(1.15 - np.abs(s), 0, 0.5)
    view.shade(0.45 * crease, np.array([0.55, 0.45, 0.42]))

    # ball: darker towards the corners and below the lid
    light = scene.light.at(0.75)
    shadow = 0.55 + 0.45 * ramp(w - upper, -0.01, 0.05)
    ball = as_planes(_WHITE * light) * shadow * (1 - 0.25 * s * s)
    view.paint(opening, ball, label="eye")
    inside = coverage(opening)

    # iris with a dark ring and a lighter lower half, pupil, reflection
    x = view.a - side * eyes.offset - eyes.gaze_u
    y = w - eyes.gaze_v + 0.25 * eyes.upper
    radius = np.sqrt(x * x + y * y) / eyes.iris_radius
    glow = 0.65 + 0.5 * ramp(y / eyes.iris_radius, -0.6, 0.8) - 0.45 * ramp(radius, 0.65, 1)
    view.paint(radius - 1, as_planes(eyes.iris * light) * glow, opacity=inside * shadow)
    view.paint(radius - 0.46, np.array([0.03, 0.02, 0.02]), opacity=inside)
    spot_x, spot_y = 0.36 * scene.light.direction[0], -0.32
    spot = ellipse(
        x / eyes.iris_radius - spot_x, y / eyes.iris_radius - spot_y, width=0.27, height=0.27
    )
    view.paint(spot, np.array([1.0, 1.0, 1.0]), opacity=0.9 * inside)

    # lashes: a line along the upper lid, drawn out past the outer corner by make-up
    thick = (0.012 + 0.014 * eyes.lashes) * ramp(1.1 + 0.25 * eyes.lashes - np.abs(s), 0, 0.5)
    wing = -0.06 * eyes.lashes * np.maximum(s - 0.9, 0)
    lash = np.abs(w - upper + 0.4 * thick - wing) - thick
    view.paint(lash, _LASH, opacity=0.7 + 0.25 * eyes.lashes)
    rim = line(w - lower, width=0.011) * ramp(1.05 - np.abs(s), 0, 0.3)
    view.shade((0.35 + 0.3 * eyes.lashes) * rim, np.array([0.45, 0.33, 0.32]))


def _lid(s: np.ndarray) -> np.ndarray:
    """The curve of a lid: 1 in the middle, 0 at the corners."""
    return np.maximum(1 - np.abs(s) ** 2.3, 0)


def paint_brows(view: View) -> None:
    """Both brows."""
    eyes = view.scene.eyes
    for side in (-1, 1):
        part = view.near(side * eyes.offset, eyes.brow_v, width=0.34, height=0.2)
        _paint_brow(part, side=side)


def _paint_brow(view: View, *, side: int) -> None:
    eyes = view.scene.eyes
    s = (side * view.a - eyes.offset - 0.025) / (eyes.width * 1.25)  # -1 inner to 1 outer end
    middle = (
        eyes.brow_v
        - side * eyes.brow_uneven
        - eyes.brow_arch * (1 - np.where(s > 0.3, 1.3, 0.4) * (s - 0.3) ** 2)
        - eyes.brow_slope * eyes.width * s
    )
    taper = 0.35 + 0.65 * ramp(1 - s, 0.0, 1.1)
    fuzz = view.strands(view.a * 60 + view.b * 25 + 500) - 0.5
    field = np.maximum(
        np.abs(view.b - middle) - eyes.brow_thickness * taper * (1 + 0.5 * fuzz),
        (np.abs(s) - 1) * eyes.width,
    )
    light = view.scene.light.at(0.6)
    colour = mix(eyes.brow_colour * 0.8, eyes.brow_colour * 1.25, fuzz + 0.5)
    view.paint(field, colour * as_planes(light), opacity=0.85, label="brow")
