"""One picture of a rendered set, with its label map."""

import numpy as np

from samples.renderer.backdrop import paint_backdrop
from samples.renderer.body import paint_neck
from samples.renderer.canvas import Canvas, noise_table, ramp
from samples.renderer.cloth import paint_cloth
from samples.renderer.draws import Draw
from samples.renderer.eyes import paint_brows, paint_eyes
from samples.renderer.glasses import paint_glasses
from samples.renderer.hair import grow_hair, paint_hair_behind, paint_hair_front
from samples.renderer.hats import paint_hat
from samples.renderer.mouth import paint_mouth
from samples.renderer.nose import paint_nose
from samples.renderer.sample_scene import sample_scene
from samples.renderer.skin import paint_ears, paint_skin
from samples.renderer.style import SceneStyle
from samples.renderer.view import view_scene

_LUMA = np.array([0.299, 0.587, 0.114])


def render(style: SceneStyle, index: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Render picture number `index` of a set; the same arguments give the same picture.

    Returns:
        The image, uint8 size×size×3, and its class ids, uint8 size×size.
    """
    draw = draw_for(style, index)
    scene = sample_scene(draw, style)
    canvas = Canvas(size=size)
    view = view_scene(canvas, scene, noise_table(draw.rng))

    mass = grow_hair(view)
    paint_backdrop(view, draw)
    paint_hair_behind(view, mass)
    paint_neck(view)
    paint_cloth(view)
    paint_ears(view)
    paint_skin(view)
    paint_mouth(view)
    paint_nose(view)
    paint_eyes(view)
    paint_brows(view)
    paint_glasses(view)
    paint_hair_front(view, mass)
    paint_hat(view)
    _develop(canvas, draw, style)
    return canvas.image(), canvas.class_map()


def draw_for(style: SceneStyle, index: int) -> Draw:
    """The random draws of one picture: of the set's name and the number, nothing else."""
    seed = np.random.SeedSequence([int.from_bytes(style.name.encode(), "big"), index])
    return Draw(np.random.Generator(np.random.PCG64(seed)))


def _develop(canvas: Canvas, draw: Draw, style: SceneStyle) -> None:
    """The style's saturation, contrast and vignette."""
    rgb = canvas.rgb
    grey = np.tensordot(_LUMA, rgb, axes=1)
    saturation, contrast = draw.between(style.saturation), draw.between(style.contrast)
    rgb[:] = 0.5 + contrast * (grey + saturation * (rgb - grey) - 0.5)
    rgb *= 1 - style.vignette * ramp(canvas.x**2 + canvas.y**2, 0.6, 2.2)
