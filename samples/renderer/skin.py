"""The head's skin: shading, blush, freckles, wrinkles and beard; and the ears."""

import numpy as np

from samples.renderer.canvas import as_planes, bump, coverage, dots, ellipse, line, ramp
from samples.renderer.head import dome, outline, relief
from samples.renderer.lighting import illuminate
from samples.renderer.view import View, mix

_BLOOD = np.array([1.0, 0.72, 0.70])  # multiplies skin where it is flushed
_SPOT = np.array([0.72, 0.56, 0.46])  # multiplies skin in a freckle
_CREASE = np.array([0.66, 0.54, 0.50])  # multiplies skin in a wrinkle


def paint_ears(view: View) -> None:
    """Both ears, which the head's skin partly covers; the far one hides behind the head."""
    face, yaw = view.scene.face, view.scene.pose.yaw
    for side in (-1, 1):
        hidden = max(side * yaw, 0.0)
        place = side * (face.width + 0.02 - 0.35 * hidden)
        _paint_ear(view, place=place, side=side)


def _paint_ear(view: View, *, place: float, side: int) -> None:
    face = view.scene.face
    v = view.v - 0.06
    ear = view.around((np.abs(view.u - place) < 0.2) & (np.abs(v) < 0.45))
    u, v = side * (ear.u - place), ear.v - 0.14
    width, height = 0.115 * face.ears, 0.245 * face.ears
    u = u - 0.25 * np.abs(v - 0.02) * (v < 0.02) - 0.12 * v  # leans outwards at the top
    field = ellipse(u, v, width=width, height=height)
    lit = illuminate(ear, 0.05 * np.sqrt(np.maximum(-field, 0)))
    colour = as_planes(face.skin * np.array([1.0, 0.9, 0.88])) * lit.diffuse
    ear.paint(field, colour, label="ear")
    ear.shade(
        coverage(ellipse(u + 0.01, v + 0.02, width=0.6 * width, height=0.62 * height)) * 0.55,
        np.array([0.66, 0.50, 0.46]),
    )
    if face.earring is not None:
        ring = ellipse(u + 0.035, v - height - 0.01, width=0.034, height=0.04)
        ear.paint(ring, face.earring * lit.diffuse.mean() * 1.15, label="ear")
        ear.paint(
            ellipse(u + 0.045, v - height, width=0.013, height=0.014), np.ones(3), opacity=0.7
        )


def paint_skin(view: View) -> None:
    """The head from the hairline to the chin; nose, eyes and mouth are painted upon it."""
    head = view.around(outline(view) < 0.05)
    field = outline(head)
    lit = illuminate(head, dome(field, depth=0.62) + relief(head))
    face = view.scene.face
    colour = _complexion(head) * lit.diffuse
    colour += face.shine * lit.gloss * as_planes(view.scene.light.key)
    colour += 0.5 * lit.rim
    head.paint(field, colour, label="skin")
    _paint_beard(head, lit.diffuse, covered=coverage(field))


def _complexion(view: View) -> np.ndarray:
    """3×h×w: the skin's own colour, before the light."""
    scene = view.scene
    face = scene.face
    side, b = np.abs(view.a), view.b
    flushed = face.blush * bump(side - 0.38, b - 0.33, width=0.3, height=0.27)
    flushed += 0.25 * bump(view.a, b - scene.nose.base + 0.08, width=0.2, height=0.16)
    flushed += 0.08 * (view.noise(view.a * 5 + 9, b * 5 + 3) - 0.5)
    colour = mix(face.skin, face.skin * _BLOOD, np.clip(flushed, 0, 1))
    if face.freckles:
        speckled = coverage(dots(view.a * 17, b * 17, view.table, radius=0.26, share=0.65))
        where = bump(side - 0.22, b - 0.24, width=0.5, height=0.34) * face.freckles * 1.4
        colour = mix(colour, colour * as_planes(_SPOT), np.clip(speckled * where, 0, 1))
    return mix(colour, colour * as_planes(_CREASE), np.clip(_creases(view), 0, 1))


def _creases(view: View) -> np.ndarray:
    """h×w in [0, 1]: wrinkles of the forehead, below the eyes and beside the mouth."""
    scene = view.scene
    face, eyes, mouth, nose = scene.face, scene.eyes, scene.mouth, scene.nose
    side, b = np.abs(view.a), view.b
    worn = ramp(np.array(face.age), 0.3, 1.0)
    waves = 0.5 + 0.5 * np.sin(b * 62 + 1.5 * np.cos(view.a * 7))
    forehead = 0.45 * worn * waves**4 * bump(view.a, b + 0.43, width=0.42, height=0.17)
    below = b - 0.115 - 0.35 * (side - eyes.offset) ** 2
    bags = (0.10 + 0.35 * worn) * line(below, width=0.022)
    bags = bags * ramp(0.19 - np.abs(side - eyes.offset), 0.0, 0.12)
    along = np.clip((b - nose.base + 0.08) / (mouth.v - nose.base + 0.16), 0, 1)
    fold = nose.width * 1.05 + (mouth.width * 1.22 - nose.width * 1.05) * along**1.2
    strength = 0.12 + 0.45 * worn + 2.2 * max(mouth.smile, 0.0)
    beside = strength * line(side - fold, width=0.03) * 4 * along * (1 - along)
    return forehead + bags + beside


def _paint_beard(view: View, light: np.ndarray, *, covered: np.ndarray) -> None:
    """Stubble or a full beard with its moustache; the lips are painted over it."""
    scene = view.scene
    face, mouth, nose = scene.face, scene.mouth, scene.nose
    if not face.beard:
        return
    side, b = np.abs(view.a), view.b
    cheek = ramp(b - (mouth.v - 0.02) + 1.1 * np.maximum(side - 0.30, 0), -0.02, 0.10)
    burns = ramp(side, 0.50, 0.56) * ramp(b, 0.05, 0.2)
    lip = ramp(b, nose.base + 0.01, nose.base + 0.06) * ramp(mouth.width * 1.2 - side, -0.03, 0.05)
    rough = 0.75 + 0.5 * view.noise(view.a * 26, b * 26)
    area = np.clip(np.maximum(np.maximum(cheek, burns), lip) * rough, 0, 1) * covered
    hairs = view.strands(view.a * 46 + 6 * view.noise(view.a * 7, b * 7) + 300)
    dense = 0.9 if face.beard_full else 0.15 + 0.55 * face.beard
    colour = as_planes(scene.hair.colour) * (0.6 + 0.7 * hairs)
    grizzled = mix(
        colour, np.array([0.6, 0.6, 0.6]), 0.5 * hairs * ramp(np.array(face.age), 0.5, 1)
    )
    view.blend(area * dense * (0.7 + 0.3 * hairs), grizzled * light)
