"""Clothes: where they end at the neck, what they are made of, and what lies upon them."""

import numpy as np

from samples.renderer.body import beside, neck_half_width, shoulders
from samples.renderer.canvas import bump, coverage, dots, ellipse, line, ramp
from samples.renderer.lighting import illuminate
from samples.renderer.view import View, mix


def paint_cloth(view: View) -> None:
    """The garment, with its collar."""
    attire = view.scene.attire
    part = view.around(view.q > 0.55)
    x, y = beside(part), part.q - attire.shoulder
    body = shoulders(part)
    fabric = _fabric(part, x, y) * _folds(part, x, y, body)
    if attire.cloth == "hood":
        _paint_hood(part, x, y, fabric)
    field = np.maximum(body - 0.03, -_neckline(part, x, y))
    part.paint(field, fabric, label="cloth")
    part.shade(0.35 * ramp(field, -0.10, 0.0) * (field < 0), np.array([0.6, 0.6, 0.62]))
    if attire.cloth == "suit":
        _paint_suit(part, x, y, fabric)
    elif attire.cloth == "shirt":
        _paint_collar(part, x, y, fabric)
    elif attire.cloth == "turtle":
        _paint_turtleneck(part, x, y, fabric)


def _neckline(view: View, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Field of the hole that the garment leaves for the neck."""
    half = neck_half_width(view)
    cloth = view.scene.attire.cloth
    if cloth in ("v_neck", "suit", "shirt"):
        depth = {"v_neck": 0.55, "suit": 0.75, "shirt": 0.30}[cloth]
        return np.abs(x) - (half + 0.06) * (1 - y / depth)
    if cloth == "wide":
        return ellipse(x, y, width=0.92, height=0.30)
    return ellipse(x, y, width=half + 0.10, height=0.19)


def _fabric(view: View, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """3×h×w: colour and pattern."""
    attire = view.scene.attire
    pattern = "plain" if attire.cloth in ("suit", "wide") else attire.pattern
    first, second = attire.cloth_colour, attire.second_colour
    if pattern == "stripes":
        weight = ramp(np.sin(y * 34 + 2 * x * x), -0.15, 0.15)
    elif pattern == "check":
        weight = 0.5 * ramp(np.sin(y * 24), -0.2, 0.2) + 0.5 * ramp(np.sin(x * 24), -0.2, 0.2)
    elif pattern == "dots":
        weight = coverage(dots(x * 7, y * 7, view.table, radius=0.27, share=0.8))
    else:
        weight = 0.08 * view.noise(x * 4 + 2, y * 4)
    return mix(first, second, weight)


def _folds(view: View, x: np.ndarray, y: np.ndarray, body: np.ndarray) -> np.ndarray:
    """3×h×w: light on rounded shoulders with a few folds."""
    height = 0.45 * np.sqrt(np.maximum(-body + 0.02, 0)) - 0.25 * x * x
    height += 0.06 * view.noise(x * 5 + 2 * y + 8, y * 2.5 - 3 * np.abs(x) + 4)
    return illuminate(view, height).diffuse


def _paint_hood(view: View, x: np.ndarray, y: np.ndarray, fabric: np.ndarray) -> None:
    """A thick roll around the neck."""
    half = neck_half_width(view)
    roll = ellipse(x, y - 0.06, width=half + 0.34, height=0.36)
    inner = ellipse(x, y + 0.04, width=half + 0.09, height=0.27)
    view.paint(np.maximum(roll, -inner), fabric * 0.85, label="cloth")
    view.shade(0.5 * bump(x, y + 0.02, width=half + 0.2, height=0.3) * (inner > 0), 0.6)


def _paint_turtleneck(view: View, x: np.ndarray, y: np.ndarray, fabric: np.ndarray) -> None:
    half = neck_half_width(view)
    sides = np.abs(x) - half - 0.04 - 0.05 * ramp(y, -0.1, 0.2)
    field = np.maximum(sides, np.maximum(-0.20 - 0.25 * x * x - y, y - 0.2))
    ribs = 0.82 + 0.22 * ramp(np.sin(x * 75), -0.5, 0.5)
    view.paint(field, fabric * ribs * (1 - 0.3 * (x / half) ** 2), label="cloth")


def _paint_collar(view: View, x: np.ndarray, y: np.ndarray, fabric: np.ndarray) -> None:
    """Two flaps and a row of buttons."""
    half = neck_half_width(view)
    side = np.abs(x)
    inner = (half + 0.05) * (1 - (y + 0.05) / 0.36)
    field = np.maximum(
        np.maximum(inner - side, side - inner - 0.23), -0.06 - 0.2 * (half + 0.1 - side) - y
    )
    field = np.maximum(field, y - 0.16 - 0.55 * (half - side) * (side < half) - 0.1)
    view.shade(0.4 * ramp(-field, -0.06, 0.0) * view.person, 0.55)
    view.paint(field, np.minimum(fabric * 1.12, 1), label="cloth")
    placket = np.abs(x) - 0.012
    view.shade(0.5 * coverage(np.maximum(placket, 0.30 - y)), 0.5)


def _paint_suit(view: View, x: np.ndarray, y: np.ndarray, fabric: np.ndarray) -> None:
    """White or coloured shirt, lapels, and a tie below a square jaw."""
    scene = view.scene
    half = neck_half_width(view)
    side = np.abs(x)
    light = scene.light.at(0.7)
    shirt = np.minimum(0.55 + 0.45 * scene.attire.second_colour, 1) * light
    lapel = (half + 0.10) * (1 - y / 1.1)
    gap = np.maximum(side - lapel, -0.02 - y)
    throat = side - (half + 0.02) * (1 - (y + 0.02) / 0.30)
    view.paint(np.maximum(gap, -throat), shirt, label="cloth")
    if scene.face.jaw > 2.15:
        knot = np.maximum(side - 0.055 - 0.08 * np.maximum(y - 0.24, 0), 0.20 - y)
        tie = scene.attire.hat_band * light
        view.paint(knot, tie, label="cloth")
        view.shade(0.4 * line(y - 0.33, width=0.02) * coverage(knot), 0.5)
    collar = np.maximum(-throat, throat - 0.15)
    collar = np.maximum(collar, np.maximum(-0.08 - y, y - 0.28))
    view.shade(0.3 * ramp(-collar, -0.05, 0.0) * view.person, 0.6)
    view.paint(collar, np.minimum(shirt * 1.08, 1), label="cloth")
    edge = np.maximum(np.maximum(lapel - side, side - lapel - 0.20), -y)
    edge = np.maximum(edge, 0.9 * (side - lapel) - 0.04 - 0.35 * np.maximum(y - 0.1, 0))
    view.paint(edge, fabric * 1.12, label="cloth")
    view.shade(0.5 * line(side - lapel, width=0.018) * (y > 0), 0.45)
