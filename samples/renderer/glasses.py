"""Spectacles and sunglasses."""

import numpy as np

from mdrnets.data.classes import CLASSES
from samples.renderer.canvas import coverage, ramp
from samples.renderer.view import View, mix

_SEEN_THROUGH = tuple(CLASSES.index(name) for name in ("eye", "brow"))


def paint_glasses(view: View) -> None:
    """Frame and lenses; through clear lenses the eyes are seen, and keep their class."""
    attire, eyes, light = view.scene.attire, view.scene.eyes, view.scene.light
    if attire.glasses == "none":
        return
    part = view.around((np.abs(view.b) < 0.4) & (np.abs(view.u) < 0.85))
    side, b = np.abs(part.a), part.b - 0.025
    exponent = 2 + 2.5 * (1 - attire.frame_round)
    x = np.abs(side - max(eyes.offset, attire.lens_width + 0.045)) / attire.lens_width
    y = np.abs(b) / attire.lens_height
    radius = (x**exponent + y**exponent) ** (1 / exponent)
    lens = radius - 1
    width = attire.frame_width / attire.lens_height
    flat = light.at(0.7)

    dark = attire.glasses == "dark"
    tint = mix(attire.frame_colour * 0.35, attire.frame_colour * 0.9 + 0.1, ramp(b, -0.15, 0.2))
    known = part.canvas.labels[part.window].copy()
    part.paint(lens, tint if dark else np.ones(3), opacity=0.93 if dark else 0.06, label="glasses")
    streak = ramp(np.abs((part.a * 0.8 + b * 0.9) % 0.62 - 0.2), 0.10, 0.05)
    part.blend(coverage(lens) * streak * (0.22 if dark else 0.14), light.key)
    if not dark:
        kept = np.isin(known, _SEEN_THROUGH)
        part.canvas.labels[part.window][kept] = known[kept]

    bridge = np.maximum(
        np.abs(b + 0.045 + 0.25 * side * side) - 0.6 * attire.frame_width, side - 0.1
    )
    temple = np.maximum(
        np.abs(b + 0.04) - 0.8 * attire.frame_width,
        np.maximum(
            0.045 + 2 * attire.lens_width - side, np.abs(part.u) - view.scene.face.width - 0.02
        ),
    )
    part.shade(
        0.35 * ramp(-np.abs(radius - 1 - 0.1), -0.3, 0.0) * (b > -0.05), np.array([0.6, 0.5, 0.5])
    )
    edge = np.minimum(bridge, temple)
    part.paint(edge, attire.frame_colour * flat, label="glasses")
    part.paint(np.abs(lens) - width, attire.frame_colour * flat, label="glasses")
    part.blend(
        0.5 * coverage(np.abs(lens) - 0.4 * width) * ramp(-b, 0.02, 0.12),
        np.minimum(attire.frame_colour * 1.6 + 0.1, 1),
    )
