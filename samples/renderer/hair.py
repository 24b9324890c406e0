"""Hair: the mass behind head and neck, and the part in front that frames the face."""

from dataclasses import dataclass

import numpy as np

from samples.renderer.body import shoulders
from samples.renderer.canvas import ellipse, line, ramp
from samples.renderer.head import CROWN, dome
from samples.renderer.lighting import illuminate
from samples.renderer.view import View, mix

_TURN = -0.22  # how far the back of the head moves for a yaw of one radian
_MIDDLE = -0.12  # v below which hair hangs
_SHADOW = np.array([0.62, 0.52, 0.50])  # multiplies skin next to the hair
_LOW = 0.02  # b below which the face's opening has straight sides


@dataclass(frozen=True)
class Mass:
    """All hair as if there were no face.

    Attributes:
        field: h×w.
        along: h×w, -1 … 1 from side to side; constant along a strand.
        colour: 3×h×w, lit.
    """

    field: np.ndarray
    along: np.ndarray
    colour: np.ndarray


def grow_hair(view: View) -> Mass:
    """The mass from which both painters take their part."""
    field, along = _shape(view)
    return Mass(field, along, _colour(view, field, along))


def paint_hair_behind(view: View, mass: Mass) -> None:
    """What shows behind the neck and around the head."""
    hair = view.scene.hair
    if hair.cut == "receding":
        return
    if hair.bun:
        _paint_bun(view)
    view.paint(mass.field, mass.colour * 0.62, label="hair")


def paint_hair_front(view: View, mass: Mass) -> None:
    """What covers forehead, temples and, if it hangs in front, the shoulders."""
    opening = _opening(view)
    field = np.maximum(mass.field, -opening)
    if view.scene.hair.cut == "receding":  # a wreath around the bald crown
        field = np.maximum(field, -0.4 - view.v + 0.1 * view.strands(mass.along * 9 + 70))
    if not view.scene.hair.in_front:
        field = np.maximum(field, -shoulders(view))
    shadow = ramp(opening, -0.35, 0.0) * (opening < 0) * ramp(-view.b, -0.9, -0.5)
    view.shade(0.4 * shadow * view.person, _SHADOW)
    view.paint(field, mass.colour, label="hair")


def _shape(view: View) -> tuple[np.ndarray, np.ndarray]:
    """Field of the mass, and the place across it."""
    scene = view.scene
    hair = scene.hair
    u = view.u - _TURN * np.sin(scene.pose.yaw)
    v = view.v
    u = u + hair.wave * np.sin(hair.wave_rate * v + 2 * np.abs(u)) * ramp(v, -0.6, 0.3)
    if hair.curl:
        u = u + 0.10 * hair.curl * (view.noise(u * 6 + 5, v * 6) - 0.5)
        v = v + 0.10 * hair.curl * (view.noise(u * 6 + 17, v * 6 + 9) - 0.5)
    width = scene.face.width + 0.03 + 0.8 * hair.volume
    height = _MIDDLE - CROWN + 0.03 + hair.volume
    hanging = np.maximum(v - _MIDDLE, 0)
    half = width + hair.flare * hanging
    if hair.length < 0.35 and not hair.curl:  # cut short around the ears
        half = half - (0.04 + 0.8 * hair.volume) * ramp(v, -0.45, -0.05)
    if hair.cut == "bob":
        half = half - 0.14 * ramp(v, hair.length - 0.45, hair.length)
    across = u / half
    above = np.minimum(v - _MIDDLE, 0) / height
    along = across / np.sqrt(np.maximum(1 - above * above, 0.02))
    tufts = (0.02 + 0.5 * hair.volume) * (view.strands(u * 11 + 120) - 0.5)
    field = across * across + above * above * (1 - tufts) - 1
    ragged = 0.14 * view.strands(along * 9 + 40) * (1 if hair.length > 0.5 else 0.3)
    rounded = (0.5 if hair.curl else 0.25 * (hair.length > 0.5)) * across * across
    return np.maximum(field, 2 * (v - hair.length + ragged + rounded)), along


def _opening(view: View) -> np.ndarray:
    """Field of the face between the hair: below the hairline and fringe, inside the frame."""
    hair = view.scene.hair
    a, b = view.a, view.b
    from_part = a - hair.part
    comb = np.where(from_part * np.sign(hair.sweep + 1e-9) > 0, 1.0, 1 - 0.75 * np.abs(hair.sweep))
    fringe = hair.fringe * comb * ramp(np.abs(from_part), 0.0, 0.28)
    ragged = (0.02 + 0.12 * hair.fringe) * (view.strands(a * 13 + 90) - 0.5)
    if hair.curl:
        ragged = ragged + 0.10 * (view.noise(a * 9 + 30, b * 9) - 0.5)
    top = hair.hairline + fringe + ragged
    sides = np.abs(a) / (hair.frame + 0.03 * np.maximum(b, 0))
    upwards = np.maximum(_LOW - b, 0) / (_LOW - top)
    exponent = 2.2 + 3 * hair.temples
    return sides**exponent + upwards**exponent - 1


def _colour(view: View, field: np.ndarray, along: np.ndarray) -> np.ndarray:
    """3×h×w: strands, light on the rounded mass, and a band of shine."""
    hair, light = view.scene.hair, view.scene.light
    wavy = along * (1 + 0.15 * np.sin(view.v * 5)) + 0.075 * hair.sweep * view.v
    coarse, fine = view.strands(wavy * 8 + 60), view.strands(wavy * 23 + 200)
    if hair.curl:
        coarse = view.noise(view.u * 10 + 3, view.v * 10 + 11)
        fine = view.noise(view.u * 22, view.v * 22 + 7)
    height = dome(field, depth=0.5) + 0.05 * coarse + 0.012 * fine
    lit = illuminate(view, height)
    latitude = view.v + 0.25 * along * along + 0.06 * (coarse - 0.5)
    band = line(latitude + 0.62, width=0.13) + 0.5 * line(latitude - 0.35, width=0.2)
    shining = np.clip(band * (0.35 + 0.9 * fine) * (0.25 if hair.curl else 0.6), 0, 1)
    strands = mix(hair.colour * 0.72, hair.colour * 1.18, 0.6 * coarse + 0.4 * fine)
    colour = mix(strands, hair.shine, shining) * (0.25 + 0.8 * lit.diffuse)
    return colour + lit.rim * mix(hair.shine, light.key, np.full_like(along, 0.4))


def _paint_bun(view: View) -> None:
    """A knot on top of the head."""
    scene = view.scene
    u = view.u - 1.2 * _TURN * np.sin(scene.pose.yaw)
    v = view.v - CROWN + 0.12
    field = ellipse(u, v, width=0.27, height=0.23)
    swirl = view.strands(np.sqrt(u * u + v * v) * 30 + 3 * np.abs(u))
    lit = illuminate(view, dome(field, depth=0.25) + 0.02 * swirl)
    colour = mix(scene.hair.colour * 0.75, scene.hair.shine, 0.5 * swirl)
    view.paint(field, colour * lit.diffuse, label="hair")
