"""The skull: its outline, and the heights of the face upon it."""

import numpy as np

from samples.renderer.canvas import bump, line, ramp
from samples.renderer.view import View

CROWN = -0.98  # v of the top of the skull
_MIDDLE = 0.08  # v of the cheek bones


def outline(view: View, *, wider: float = 0.0, down: float = 0.0) -> np.ndarray:
    """Field of the head without hair and ears: an ellipse above, a superellipse at the jaw.

    Args:
        view: where.
        wider: added to the half-width.
        down: shift, in head units.
    """
    face = view.scene.face
    v = view.v - down
    chin = face.chin + 0.45 * view.scene.mouth.open
    t = (v - _MIDDLE) / np.where(v < _MIDDLE, CROWN - _MIDDLE, chin - _MIDDLE)
    exponent = 2 + (face.jaw - 2) * ramp(v, _MIDDLE - 0.1, 0.7)
    across = np.abs(view.u) / (face.width + wider)
    return across**exponent + np.abs(t) ** exponent - 1


def dome(field: np.ndarray, *, depth: float) -> np.ndarray:
    """Height of a rounded body with this outline."""
    return depth * np.sqrt(np.maximum(-field, 0))


def relief(view: View) -> np.ndarray:
    """What stands out from the dome: brows, sockets, cheeks, nose, lips, chin."""
    scene = view.scene
    face, eyes, mouth = scene.face, scene.eyes, scene.mouth
    side, b = np.abs(view.a), view.b
    height = 0.035 * bump(side - 0.27, b + 0.25, width=0.33, height=0.16)
    height -= 0.075 * bump(side - 0.9 * eyes.offset, b + 0.03, width=0.25, height=0.2)
    height += 0.03 * bump(side - eyes.offset, b, width=0.13, height=0.1)
    height += face.cheeks * bump(side - 0.37, b - 0.33, width=0.3, height=0.3)
    height += 0.05 * bump(view.a, b - mouth.v, width=0.4, height=0.27)
    height += 0.05 * bump(view.a, b - face.chin + 0.14, width=0.24, height=0.19)
    height -= 0.02 * bump(view.a, b - mouth.v - mouth.open - 0.15, width=0.2, height=0.07)
    height -= 0.012 * bump(view.a, b - mouth.v + 0.14, width=0.04, height=0.1)
    return height + nose_height(view)


def nose_height(view: View) -> np.ndarray:
    """A ridge that rises and widens towards the tip, and two wings."""
    nose = view.scene.nose
    a, down = nose_axis(view)
    ridge = (0.25 + 0.75 * down) * line(a, width=nose.bridge * (0.8 + 0.9 * down))
    ends = ramp(view.b, -0.22, 0.05) * (1 - ramp(view.b, nose.base - 0.09, nose.base + 0.02))
    tip = bump(a, view.b - nose.base + 0.075, width=0.15, height=0.15)
    wings = bump(np.abs(a) - 0.66 * nose.width, view.b - nose.base + 0.06, width=0.11, height=0.11)
    return nose.height * (0.58 * ridge * ends + 0.42 * tip + 0.26 * wings)


def nose_axis(view: View) -> tuple[np.ndarray, np.ndarray]:
    """Distance from the nose's middle line, which leans with the yaw, and 0 root … 1 tip."""
    nose = view.scene.nose
    down = np.clip((view.b + 0.12) / (nose.base + 0.05), 0, 1)
    return view.a - 0.8 * nose.height * np.sin(view.scene.pose.yaw) * down, down
