"""Lips, and teeth and tongue in an open mouth."""

import numpy as np

from samples.renderer.canvas import as_planes, bump, coverage, line, ramp
from samples.renderer.view import View, mix

_CAVITY = np.array([0.20, 0.06, 0.06])
_TONGUE = np.array([0.66, 0.28, 0.28])
_TEETH = np.array([0.95, 0.92, 0.87])


def paint_mouth(view: View) -> None:
    """The mouth; its inside has a class of its own where it is open."""
    mouth, light = view.scene.mouth, view.scene.light
    part = view.near(0.0, mouth.v + 0.5 * mouth.open, width=0.45, height=0.32)
    s, b = part.a / mouth.width, part.b
    arch = np.maximum(1 - s * s, 0)
    closed = mouth.v - mouth.smile * s * s  # where the lips meet
    rise = closed - 0.3 * mouth.open * arch  # lower edge of the upper lip
    fall = closed + 0.7 * mouth.open * arch**0.8  # upper edge of the lower lip
    bow = 1 - mouth.bow * line(s, width=0.22) + 0.12 * mouth.bow
    top = rise - mouth.upper * arch**0.75 * bow
    bottom = fall + mouth.lower * arch**0.65
    outside = np.maximum(np.abs(s) - 1, 0) * mouth.width

    # inside: cavity, tongue, upper teeth
    lit = light.at(0.6)
    if mouth.open:
        gap = np.maximum(rise - b, b - fall) + outside
        part.paint(gap, _CAVITY * lit, label="mouth")
        inside = coverage(gap)
        tongue = bump(s, b - fall - 0.02, width=0.6, height=0.55 * mouth.open + 0.02)
        part.blend(inside * np.clip(2 * tongue, 0, 1), _TONGUE * lit)
        teeth = np.maximum(b - rise - 0.045 - 0.3 * mouth.open * arch, np.abs(s) - 0.86)
        gaps = 0.85 + 0.15 * ramp(np.abs(np.sin(s * 11)), 0.0, 0.25)
        dim = (1 - 0.45 * s * s) * gaps
        part.paint(teeth, as_planes(_TEETH * lit) * dim, opacity=inside)

    # lips: lit from above, so the upper is darker
    upper = np.maximum(top - b, b - rise) + outside
    lower = np.maximum(fall - b, b - bottom) + outside
    creased = 0.92 + 0.16 * part.strands(s * 13 + 700)
    part.paint(upper, as_planes(mouth.lips * lit) * 0.82 * creased, label="upper lip")
    round_ = ramp((b - fall) / mouth.lower, -0.1, 0.9)
    shaded = mix(mouth.lips * lit * 1.05, mouth.lips * lit * 0.8, round_)
    part.paint(lower, shaded * creased, label="lower lip")
    gleam = bump(
        s + 0.25 * light.direction[0],
        b - fall - 0.4 * mouth.lower,
        width=0.5,
        height=0.4 * mouth.lower,
    )
    part.blend(mouth.gloss * gleam * coverage(lower), light.key)

    # where they meet, and the corners
    if not mouth.open:
        part.shade(
            0.75 * line(b - closed, width=0.011) * ramp(1.04 - np.abs(s), 0, 0.15),
            np.array([0.42, 0.25, 0.25]),
        )
    corners = bump(np.abs(s) - 1.02, b - mouth.v + mouth.smile, width=0.12, height=0.03)
    part.shade(0.55 * corners, np.array([0.5, 0.36, 0.34]))
