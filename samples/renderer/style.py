"""The statistics of a rendered set: everything in which the two embedded sets differ.

Lengths are in head units: 1 from the eye line to the chin of an average face. Angles are radians.
A weighted choice is a tuple of (name, weight).
"""

from dataclasses import dataclass

Range = tuple[float, float]
Choice = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class SceneStyle:
    """Distributions from which a scene is drawn.

    Attributes:
        name: of the set.
        scale: picture half-sizes in one head unit.
        eye_line: height of the eyes in the picture, -1 top to 1 bottom.
        sideways: largest shift of the head to either side, in picture half-sizes.
        yaw, pitch, roll: largest angles.
        skin_tone: 0 lightest to 1 darkest.
        masculine: share of masculine faces.
        age: 0 young to 1 old.
        light_side, light_above: direction of the key light, sine to either side and upwards.
        fill: brightness in the shadow; the key light adds up to about 1.
        warmth: -1 blue to 1 orange key light.
        rim: strength of a light from behind.
        saturation, contrast, vignette: of the finished picture.
        backdrops, hair_styles, hair_colours, hats, glasses, cloths, patterns: weighted choices.
        mouth_open, beard, make_up, freckles: shares.
    """

    name: str
    scale: Range
    eye_line: Range
    sideways: float
    yaw: float
    pitch: float
    roll: float
    skin_tone: Range
    masculine: float
    age: Range
    light_side: float
    light_above: Range
    fill: Range
    warmth: Range
    rim: Range
    saturation: Range
    contrast: Range
    vignette: float
    backdrops: Choice
    hair_styles: Choice
    hair_colours: Choice
    hats: Choice
    glasses: Choice
    cloths: Choice
    patterns: Choice
    mouth_open: float
    beard: float
    make_up: float
    freckles: float


RENDERED_A = SceneStyle(  # portraits in a studio or at a gala: tight, warm, contrasty
    name="rendered_a",
    scale=(0.76, 0.86),
    eye_line=(-0.10, -0.02),
    sideways=0.04,
    yaw=0.45,
    pitch=0.14,
    roll=0.14,
    skin_tone=(0.0, 0.85),
    masculine=0.4,
    age=(0.0, 0.7),
    light_side=0.85,
    light_above=(0.15, 0.75),
    fill=(0.30, 0.52),
    warmth=(0.0, 0.9),
    rim=(0.0, 0.5),
    saturation=(0.95, 1.15),
    contrast=(1.0, 1.15),
    vignette=0.35,
    backdrops=(("gradient", 3), ("blobs", 3), ("bokeh", 4)),
    hair_styles=(
        ("crop", 2),
        ("side_swept", 3),
        ("bob", 3),
        ("long", 5),
        ("wavy", 5),
        ("curly", 1.5),
        ("bun", 2),
        ("receding", 1),
    ),
    hair_colours=(
        ("black", 3),
        ("dark_brown", 4),
        ("brown", 3),
        ("auburn", 2),
        ("dark_blond", 2.5),
        ("blond", 3.5),
        ("grey", 1),
    ),
    hats=(("none", 0.82), ("brimmed", 0.12), ("beanie", 0.03), ("cap", 0.03)),
    glasses=(("none", 0.8), ("clear", 0.13), ("dark", 0.07)),
    cloths=(("crew", 2), ("v_neck", 3), ("suit", 4), ("shirt", 2), ("wide", 3)),
    patterns=(("plain", 5), ("dots", 1), ("stripes", 1)),
    mouth_open=0.6,
    beard=0.35,
    make_up=0.8,
    freckles=0.12,
)

RENDERED_B = SceneStyle(  # snapshots by day: looser framing, flatter and cooler light, all ages
    name="rendered_b",
    scale=(0.68, 0.80),
    eye_line=(-0.16, 0.06),
    sideways=0.12,
    yaw=0.55,
    pitch=0.2,
    roll=0.24,
    skin_tone=(0.0, 1.0),
    masculine=0.52,
    age=(0.0, 1.0),
    light_side=0.5,
    light_above=(0.35, 0.9),
    fill=(0.50, 0.68),
    warmth=(-0.6, 0.4),
    rim=(0.0, 0.15),
    saturation=(0.75, 1.0),
    contrast=(0.88, 1.02),
    vignette=0.0,
    backdrops=(("wall", 2.5), ("stripes", 2), ("outdoors", 4), ("bricks", 1.5)),
    hair_styles=(
        ("crop", 4),
        ("side_swept", 3),
        ("bob", 2),
        ("long", 3),
        ("wavy", 2),
        ("curly", 3),
        ("bun", 2),
        ("receding", 2),
    ),
    hair_colours=(
        ("black", 5),
        ("dark_brown", 4),
        ("brown", 3),
        ("auburn", 1),
        ("dark_blond", 2),
        ("blond", 1.5),
        ("grey", 3),
        ("dyed", 0.7),
    ),
    hats=(("none", 0.72), ("brimmed", 0.06), ("beanie", 0.11), ("cap", 0.11)),
    glasses=(("none", 0.72), ("clear", 0.22), ("dark", 0.06)),
    cloths=(
        ("crew", 5),
        ("v_neck", 1.5),
        ("suit", 0.7),
        ("shirt", 3),
        ("hood", 3),
        ("turtle", 1.5),
    ),
    patterns=(("plain", 3), ("dots", 0.7), ("stripes", 2), ("check", 1.5)),
    mouth_open=0.45,
    beard=0.5,
    make_up=0.35,
    freckles=0.25,
)
