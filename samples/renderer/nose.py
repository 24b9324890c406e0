"""The nose: its heights are part of the skin's relief, so this adds nostrils, shadow, class."""

import numpy as np

from samples.renderer.canvas import bump, coverage, ellipse, line, ramp
from samples.renderer.head import nose_axis
from samples.renderer.view import View


def paint_nose(view: View) -> None:
    """Nostrils, the shadow below the tip, and the label from the bridge to the base."""
    nose, light = view.scene.nose, view.scene.light
    part = view.near(0.0, 0.5 * nose.base, width=0.42, height=0.5 * nose.base + 0.2)
    a, down = nose_axis(part)
    side, b = np.abs(a), part.b
    dark = np.array([0.42, 0.28, 0.26])

    below = bump(
        a + 0.10 * light.direction[0], b - nose.base - 0.015, width=1.05 * nose.width, height=0.07
    )
    part.shade(0.5 * below, np.array([0.62, 0.48, 0.44]))
    crease = line(side - 0.98 * nose.width, width=0.018)
    part.shade(0.3 * crease * line(b - nose.base + 0.07, width=0.05), dark)
    nostril = ellipse(
        side - 0.45 * nose.width, b - nose.base + 0.018 + 0.25 * side, width=0.042, height=0.022
    )
    part.shade(0.85 * coverage(nostril), dark)

    wide = nose.bridge + (nose.width - nose.bridge) * ramp(down, 0.35, 0.92)
    rounding = np.maximum(b - nose.base + 0.10, 0) / 0.12
    field = np.maximum(np.maximum(side / wide, 0) ** 2 + rounding * rounding - 1, -0.10 - b)
    part.paint(field, dark, opacity=0.0, label="nose")
