"""Light on surfaces that are given by their height."""

from dataclasses import dataclass

import numpy as np

from samples.renderer.canvas import as_planes, slopes
from samples.renderer.scene import Light
from samples.renderer.view import View

_WRAP = 0.25  # how far the key light reaches around an edge


@dataclass(frozen=True)
class Lit:
    """What a lit surface looks like.

    Attributes:
        diffuse: 3×h×w; multiplies the colour of the surface.
        gloss: h×w in [0, 1]; where the key light is mirrored.
        rim: h×w in [0, 1]; where the light from behind grazes the surface.
    """

    diffuse: np.ndarray
    gloss: np.ndarray
    rim: np.ndarray


def illuminate(view: View, height: np.ndarray) -> Lit:
    """Light a surface whose h×w height towards the camera is in head units."""
    light = view.scene.light
    slope_x, slope_y = slopes(height / view.step)
    z = 1 / np.sqrt(1 + slope_x * slope_x + slope_y * slope_y)
    x, y = -slope_x * z, -slope_y * z
    return Lit(
        diffuse=_diffuse(light, _along(x, y, z, light.direction)),
        gloss=_gloss(_along(x, y, z, _halfway(light))),
        rim=light.rim * (1 - z) ** 2 * np.clip(0.3 - x * np.sign(light.direction[0]), 0, 1),
    )


def _along(x: np.ndarray, y: np.ndarray, z: np.ndarray, direction: np.ndarray) -> np.ndarray:
    return x * direction[0] + y * direction[1] + z * direction[2]


def _halfway(light: Light) -> np.ndarray:
    """Between the key light and the camera."""
    halfway = light.direction + np.array([0.0, 0.0, 1.0])
    return halfway / np.sqrt((halfway * halfway).sum())


def _diffuse(light: Light, facing: np.ndarray) -> np.ndarray:
    exposed = np.clip((facing + _WRAP) / (1 + _WRAP), 0, 1)
    fill, key = as_planes(light.fill), as_planes(light.key)
    return fill + exposed * (key - fill)


def _gloss(facing: np.ndarray) -> np.ndarray:
    mirrored = np.maximum(facing, 0) ** 2
    mirrored = mirrored * mirrored  # 4
    mirrored = mirrored * mirrored  # 8
    return mirrored * mirrored  # 16
