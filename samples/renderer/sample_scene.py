"""Sample a scene from the distributions of a style."""

import numpy as np

from samples.renderer.draws import HAIR, Draw
from samples.renderer.scene import Attire, Eyes, Face, Hair, Light, Mouth, Nose, Pose, Scene
from samples.renderer.style import SceneStyle


def sample_scene(draw: Draw, style: SceneStyle) -> Scene:
    """Sample one scene; related attributes (age and grey hair, sex and beard) are correlated."""
    masculine = draw.chance(style.masculine)
    age = draw.between(style.age)
    tone = draw.between(style.skin_tone)
    attire = _attire(draw, style)
    hair = _hair(draw, style, masculine=masculine, age=age, tone=tone, hat=attire.hat)
    face = _face(draw, style, masculine=masculine, age=age, tone=tone)
    make_up = 0.0 if masculine or not draw.chance(style.make_up) else draw.between((0.3, 1.0))
    return Scene(
        pose=_pose(draw, style),
        light=_light(draw, style),
        face=face,
        eyes=_eyes(draw, masculine=masculine, make_up=make_up, hair=hair),
        nose=Nose(
            width=draw.between((0.135, 0.19)) + 0.015 * tone,
            bridge=draw.between((0.045, 0.065)),
            base=draw.between((0.42, 0.49)),
            height=draw.between((0.16, 0.25)),
        ),
        mouth=_mouth(draw, style, make_up=make_up, face=face),
        hair=hair,
        attire=attire,
        backdrop=draw.pick(style.backdrops),
    )


def _pose(draw: Draw, style: SceneStyle) -> Pose:
    yaw = draw.triangular(style.yaw)
    return Pose(
        x=draw.triangular(style.sideways) - 0.18 * yaw,
        y=draw.between(style.eye_line),
        scale=draw.between(style.scale),
        yaw=yaw,
        pitch=draw.triangular(style.pitch),
        roll=draw.triangular(style.roll),
        sway=-0.3 * yaw + draw.triangular(0.12),
    )


def _light(draw: Draw, style: SceneStyle) -> Light:
    side = draw.between((-style.light_side, style.light_side))
    above = draw.between(style.light_above)
    towards = np.array([side, -above, draw.between((0.7, 1.0))])
    fill = draw.between(style.fill)
    warmth = draw.between(style.warmth)
    tint = np.array([0.07, 0.01, -0.08]) * warmth
    return Light(
        direction=towards / np.sqrt((towards * towards).sum()),
        key=1.04 + tint,
        fill=fill * (1 + np.array([0.10, -0.02, -0.03]) - tint),
        rim=draw.between(style.rim),
    )


def _face(draw: Draw, style: SceneStyle, *, masculine: bool, age: float, tone: float) -> Face:
    beard = draw.between((0.25, 1.0)) if masculine and draw.chance(style.beard) else 0.0
    gold = np.array([0.86, 0.70, 0.32])
    earring = draw.near(gold, 0.2) if not masculine and draw.chance(0.45) else None
    return Face(
        skin=draw.skin(tone),
        width=draw.between((0.60, 0.68)) + 0.015 * masculine,
        chin=draw.between((0.95, 1.07)) + 0.03 * masculine,
        jaw=draw.between((1.7, 2.1)) + 0.4 * masculine,
        cheeks=draw.between((0.02, 0.07)),
        blush=draw.between((0.05, 0.3)) + (0.0 if masculine else draw.between((0.0, 0.3))),
        shine=draw.between((0.05, 0.28)),
        freckles=draw.between((0.25, 0.6)) if tone < 0.4 and draw.chance(style.freckles) else 0.0,
        age=age,
        beard=beard,
        beard_full=beard > 0.6,
        ears=draw.between((0.85, 1.15)),
        earring=earring,
    )


def _eyes(draw: Draw, *, masculine: bool, make_up: float, hair: Hair) -> Eyes:
    darker = hair.colour * np.array([1.0, 0.88, 0.82]) * draw.between((0.45, 0.8)) + 0.02
    return Eyes(
        offset=draw.between((0.275, 0.31)),
        width=draw.between((0.158, 0.185)),
        upper=draw.between((0.066, 0.100)) + 0.006 * (not masculine),
        lower=draw.between((0.038, 0.056)),
        tilt=draw.between((-0.04, 0.16)),
        iris=draw.iris(),
        iris_radius=draw.between((0.076, 0.088)),
        gaze_u=draw.triangular(0.05),
        gaze_v=draw.triangular(0.02),
        lashes=0.25 * (not masculine) + 0.75 * make_up,
        shadow=draw.colour(saturation=(0.2, 0.7), value=(0.2, 0.6)),
        shadow_strength=0.6 * make_up * draw.rng.random(),
        brow_colour=np.minimum(darker, 0.5),
        brow_v=-draw.between((0.19, 0.235)),
        brow_thickness=draw.between((0.022, 0.034)) + 0.010 * masculine,
        brow_arch=draw.between((0.02, 0.075)),
        brow_slope=draw.triangular(0.22),
        brow_uneven=draw.triangular(0.025),
    )


def _mouth(draw: Draw, style: SceneStyle, *, make_up: float, face: Face) -> Mouth:
    is_open = draw.chance(style.mouth_open)
    natural = face.skin * np.array([0.86, 0.62, 0.62])
    stick = np.array([draw.between((0.5, 0.85)), draw.between((0.06, 0.3)), 0.0])
    stick[2] = stick[1] + draw.between((0.02, 0.14))
    covered = make_up * draw.between((0.2, 0.95))
    return Mouth(
        v=draw.between((0.64, 0.70)) * (face.chin + 1) / 2,
        width=draw.between((0.21, 0.27)) + 0.05 * is_open,
        smile=draw.between((-0.01, 0.09)) + 0.035 * is_open,
        open=draw.between((0.05, 0.15)) if is_open else 0.0,
        upper=draw.between((0.045, 0.078)),
        lower=draw.between((0.060, 0.100)),
        bow=draw.between((0.1, 0.45)),
        lips=natural + covered * (stick - natural),
        gloss=draw.between((0.1, 0.3)) + 0.3 * make_up,
    )


_SHAPES = {  # cut: volume, length, flare, frame, fringe
    "crop": ((0.03, 0.09), (0.10, 0.24), -0.10, (0.60, 0.64), (0.0, 0.06)),
    "side_swept": ((0.08, 0.17), (0.12, 0.32), -0.06, (0.58, 0.63), (0.03, 0.26)),
    "bob": ((0.08, 0.16), (0.75, 1.05), 0.06, (0.48, 0.58), (0.02, 0.34)),
    "long": ((0.06, 0.13), (1.40, 2.00), 0.07, (0.48, 0.58), (0.0, 0.32)),
    "wavy": ((0.10, 0.20), (1.20, 1.90), 0.12, (0.48, 0.58), (0.0, 0.24)),
    "curly": ((0.16, 0.34), (0.30, 1.00), 0.03, (0.54, 0.62), (0.0, 0.16)),
    "bun": ((0.02, 0.06), (0.12, 0.22), -0.10, (0.60, 0.64), (0.0, 0.12)),
    "receding": ((0.00, 0.03), (0.14, 0.28), -0.08, (0.59, 0.63), (0.0, 0.0)),
}
_LONG = ("bob", "long", "wavy", "bun")
_SHORT = ("crop", "side_swept", "receding")


def _hair(
    draw: Draw, style: SceneStyle, *, masculine: bool, age: float, tone: float, hat: str
) -> Hair:
    against = _LONG if masculine else _SHORT
    name = draw.pick(tuple((n, w * (0.12 if n in against else 1.0)) for n, w in style.hair_styles))
    dark = 1.0 if tone < 0.5 else 0.15  # light hair is rarer on dark skin
    colour = draw.pick(
        tuple(
            (n, w * {"grey": 0.1 + 3 * age * age, "blond": dark, "dark_blond": dark}.get(n, 1.0))
            for n, w in style.hair_colours
        )
    )
    volume, length, flare, frame, fringe = _SHAPES[name]
    base = draw.near(HAIR[colour], 0.07)
    receding = name == "receding"
    return Hair(
        cut=name,
        colour=base,
        shine=np.minimum(base * 1.5 + 0.10, 1),
        volume=min(draw.between(volume), 0.3 if hat == "none" else 0.07),
        length=draw.between(length),
        flare=flare + draw.triangular(0.05),
        hairline=-draw.between((0.82, 1.05)) if receding else -draw.between((0.56, 0.70)),
        temples=draw.between((0.05, 0.35)),
        frame=draw.between(frame),
        part=draw.triangular(0.4),
        fringe=draw.between(fringe),
        sweep=draw.triangular(1.0),
        wave=draw.between((0.02, 0.05)) if name == "wavy" else draw.between((0.0, 0.012)),
        wave_rate=draw.between((7.0, 14.0)),
        curl=draw.between((0.5, 1.0)) if name == "curly" else 0.0,
        bun=name == "bun" and hat == "none",
        in_front=draw.chance(0.65),
    )


def _attire(draw: Draw, style: SceneStyle) -> Attire:
    hat = draw.pick(style.hats)
    cloth = draw.pick(style.cloths)
    glasses = draw.pick(style.glasses)
    cloth_colour = draw.colour(saturation=(0.0, 0.75), value=(0.12, 0.85))
    if cloth == "suit":
        cloth_colour = draw.colour(saturation=(0.0, 0.45), value=(0.08, 0.35))
    dark_frame = draw.colour(saturation=(0.0, 0.6), value=(0.05, 0.35))
    metal = draw.near((0.65, 0.58, 0.45), 0.2)
    round_frame = draw.between((0.0, 1.0))
    return Attire(
        cloth=cloth,
        cloth_colour=cloth_colour,
        second_colour=draw.colour(saturation=(0.0, 0.6), value=(0.3, 0.95)),
        pattern=draw.pick(style.patterns),
        shoulder=draw.between((1.08, 1.22)),
        hat=hat,
        hat_colour=draw.colour(saturation=(0.1, 0.7), value=(0.15, 0.8)),
        hat_band=draw.colour(saturation=(0.0, 0.8), value=(0.1, 0.9)),
        glasses=glasses,
        frame_colour=dark_frame if glasses == "dark" or draw.chance(0.7) else metal,
        frame_width=draw.between((0.016, 0.034)),
        frame_round=round_frame,
        lens_width=draw.between((0.205, 0.235)),
        lens_height=draw.between((0.125, 0.16)) + 0.03 * round_frame,
    )
