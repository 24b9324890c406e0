"""Neck and shoulders."""

import numpy as np

from samples.renderer.canvas import as_planes, coverage, line, ramp
from samples.renderer.head import outline
from samples.renderer.lighting import illuminate
from samples.renderer.view import View

_SHADOW = np.array([0.50, 0.38, 0.36])  # multiplies skin below the chin


def neck_half_width(view: View) -> float:
    """A square jaw has a strong neck below it."""
    return 0.33 + 0.06 * (view.scene.face.jaw - 1.75)


def beside(view: View) -> np.ndarray:
    """Distance along p from the middle of neck and body, which leads from head to chest."""
    pose = view.scene.pose
    base = view.scene.attire.shoulder + 0.2
    head = 0.62 * np.array([-np.sin(pose.roll), np.cos(pose.roll)])
    down = np.clip((view.q - head[1]) / (base - head[1]), 0, 1)
    return view.p - (head[0] - 0.10 * pose.yaw) * (1 - down) - pose.sway * down


def shoulders(view: View) -> np.ndarray:
    """Field of shoulders and chest, without the neck."""
    side = np.abs(beside(view))
    slope = 0.20 * np.maximum(side - 0.25, 0) + 2.2 * np.maximum(side - 0.95, 0) ** 2
    return view.scene.attire.shoulder + slope - view.q


def paint_neck(view: View) -> None:
    """Neck and bare shoulders, in the shadow of the head; cloth is painted upon them."""
    face = view.scene.face
    skin = view.around(view.q > 0.35)
    x = beside(skin)
    half = neck_half_width(skin) + 0.22 * ramp(skin.q, skin.scene.attire.shoulder - 0.22, 1.5) ** 2
    neck = np.maximum(np.abs(x) - half, 0.4 - skin.q)
    field = np.minimum(neck, shoulders(skin))
    height = 0.8 * np.sqrt(np.maximum(half * half - x * x, 0)) + 0.25 * ramp(skin.q, 0.9, 1.6)
    collar = skin.q - skin.scene.attire.shoulder - 0.16 - 0.12 * np.abs(x)
    height += 0.02 * line(collar, width=0.03) * ramp(np.abs(x), 0.05, 0.2)
    tendon = np.abs(x) - 0.10 - 0.35 * np.maximum(skin.scene.attire.shoulder + 0.15 - skin.q, 0)
    height += 0.012 * line(tendon, width=0.035)
    lit = illuminate(skin, height)
    skin.paint(field, as_planes(face.skin) * lit.diffuse, label="neck")
    below = ramp(-outline(skin, wider=0.03, down=0.17), -0.45, 0.15)
    skin.shade(0.85 * below * coverage(field), _SHADOW)
