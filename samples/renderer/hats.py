"""Hats."""

import numpy as np

from samples.renderer.canvas import as_planes, bump, coverage, ellipse, line, ramp
from samples.renderer.head import CROWN, dome
from samples.renderer.lighting import illuminate
from samples.renderer.view import View, mix

_SHADOW = np.array([0.50, 0.45, 0.48])


def paint_hat(view: View) -> None:
    """The hat, if there is one, and the shadow that it casts on the forehead."""
    hat = view.scene.attire.hat
    if hat == "none":
        return
    {"brimmed": _paint_brimmed, "beanie": _paint_beanie, "cap": _paint_cap}[hat](
        view.around(view.v < 0.1)
    )


def _crown(view: View, *, rise: float, wider: float, taper: float) -> tuple[np.ndarray, np.ndarray]:
    """Field of a cover of the skull, open below, and u from its middle line."""
    scene = view.scene
    u = view.u + 0.12 * np.sin(scene.pose.yaw)
    half = scene.face.width + wider + 0.6 * scene.hair.volume
    v = (view.v + 0.30) / (-0.30 - CROWN + rise)
    square = np.abs(u / half)
    return square**taper + np.abs(np.minimum(v, 0)) ** taper - 1, u


def _line(view: View, *, at: float, curve: float) -> np.ndarray:
    """Field of what lies below a hat's edge, which bends around the head."""
    return view.b - at - curve * (1 - (view.a / 0.7) ** 2)


def _paint_beanie(view: View) -> None:
    attire = view.scene.attire
    field, u = _crown(view, rise=0.20, wider=0.05, taper=2.1)
    edge = _line(view, at=-0.42, curve=0.03)
    band = _line(view, at=-0.66, curve=0.03)
    ribs = ramp(np.sin(np.arcsin(np.clip(u / 0.85, -1, 1)) * 46), -0.6, 0.6)
    lit = illuminate(view, dome(field, depth=0.6) + 0.012 * ribs).diffuse
    view.shade(0.6 * ramp(-edge, -0.14, 0.0) * (edge > 0) * (np.abs(view.a) < 0.7), _SHADOW)
    view.paint(
        np.maximum(field, edge),
        as_planes(attire.hat_colour) * lit * (0.85 + 0.15 * ribs),
        label="hat",
    )
    cuff, _ = _crown(view, rise=0.20, wider=0.075, taper=2.1)
    fold = np.maximum(cuff, np.maximum(edge, -band))
    view.shade(0.4 * line(band, width=0.03) * coverage(field), 0.5)
    view.paint(fold, mix(attire.hat_colour, attire.hat_band, 0.35 * ribs) * lit, label="hat")


def _paint_cap(view: View) -> None:
    attire, light = view.scene.attire, view.scene.light
    field, u = _crown(view, rise=0.14, wider=0.04, taper=2.2)
    across = u - 0.45 * np.sin(view.scene.pose.yaw)
    below = view.v + 0.52 - 0.10 * (1 - (across / 0.62) ** 2)  # the edge, from which the visor juts
    lit = illuminate(view, dome(field, depth=0.6)).diffuse
    view.paint(np.maximum(field, below), as_planes(attire.hat_colour) * lit, label="hat")
    seam = line(view.a * (1 + 0.5 * view.b), width=0.012) * coverage(field) * (below < 0)
    view.shade(0.35 * seam, 0.5)
    badge = ellipse(view.a, view.b + 0.77, width=0.15, height=0.12)
    view.paint(badge, as_planes(attire.hat_band) * lit, label="hat")
    view.shade(0.75 * bump(across, below - 0.16, width=0.66, height=0.30) * view.person, _SHADOW)
    gradient = 0.65 + 0.5 * ramp(-below, -0.12, 0.12)
    visor = ellipse(across, below, width=0.62, height=0.14)
    view.paint(visor, as_planes(attire.hat_colour * light.at(0.7)) * gradient, label="hat")


def _paint_brimmed(view: View) -> None:
    attire = view.scene.attire
    field, u = _crown(view, rise=0.26, wider=-0.04, taper=2.9)
    lit = illuminate(
        view, dome(field, depth=0.6) - 0.05 * bump(u, view.v + 1.2, width=0.2, height=0.3)
    ).diffuse
    felt = as_planes(attire.hat_colour) * (0.93 + 0.14 * view.noise(view.u * 9, view.v * 9))
    bend = -0.10 * (u / 0.9) ** 2
    brim = ellipse(u, view.v + 0.56 - bend, width=1.02, height=0.17)
    view.shade(0.7 * bump(u, view.v + 0.40, width=0.95, height=0.30) * view.person, _SHADOW)
    view.paint(brim, felt * (0.42 * lit + 0.2), label="hat")  # the underside at the back
    top = np.maximum(field, view.v + 0.55)
    view.paint(top, felt * lit, label="hat")
    ribbon = np.maximum(field - 0.02, np.maximum(view.v + 0.55, -0.74 - view.v))
    view.paint(ribbon, as_planes(attire.hat_band) * lit, label="hat")
    front = np.maximum(brim, -(view.v + 0.60 - bend - 0.02))
    flat = view.scene.light.at(0.8)
    gradient = 0.75 + 0.35 * ramp(view.v + 0.56 - bend, 0.15, -0.05)
    view.paint(front, felt * as_planes(flat) * gradient, label="hat")
