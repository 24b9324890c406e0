"""What a picture shows: a person, their attire, the light and the camera.

All lengths are in head units (1 from the eye line to the chin of an average face); in head
coordinates u points to the right of the picture and v down, with the eyes at v = 0.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Pose:
    """Place of the point between the eyes, size and angles of the head."""

    x: float
    y: float
    scale: float
    yaw: float
    pitch: float
    roll: float
    sway: float  # of the body, to the side


@dataclass(frozen=True)
class Light:
    """A key light, a fill and a light from behind."""

    direction: np.ndarray  # unit vector towards the key light, z towards the camera
    key: np.ndarray  # colour of a surface that faces the light
    fill: np.ndarray  # colour of a surface in the shadow
    rim: float

    def at(self, exposed: float) -> np.ndarray:
        """Colour of a surface between the shadow, 0, and the key light, 1."""
        return self.fill + exposed * (self.key - self.fill)


@dataclass(frozen=True)
class Face:
    """Skull and skin."""

    skin: np.ndarray
    width: float  # half-width at the cheek bones
    chin: float  # v of the chin
    jaw: float  # exponent of the contour: 1.6 pointed to 2.8 square
    cheeks: float
    blush: float
    shine: float
    freckles: float
    age: float
    beard: float
    beard_full: bool
    ears: float
    earring: np.ndarray | None


@dataclass(frozen=True)
class Eyes:
    """Both eyes and brows: one description, so that the two sides agree."""

    offset: float  # of each eye from the middle of the face
    width: float
    upper: float
    lower: float
    tilt: float
    iris: np.ndarray
    iris_radius: float
    gaze_u: float
    gaze_v: float
    lashes: float
    shadow: np.ndarray
    shadow_strength: float
    brow_colour: np.ndarray
    brow_v: float
    brow_thickness: float
    brow_arch: float
    brow_slope: float
    brow_uneven: float


@dataclass(frozen=True)
class Nose:
    """The nose."""

    width: float
    bridge: float
    base: float  # v of its lower end
    height: float


@dataclass(frozen=True)
class Mouth:
    """The mouth."""

    v: float
    width: float
    smile: float
    open: float
    upper: float
    lower: float
    bow: float
    lips: np.ndarray
    gloss: float


@dataclass(frozen=True)
class Hair:
    """The hair."""

    cut: str
    colour: np.ndarray
    shine: np.ndarray
    volume: float
    length: float  # v where the hair at the sides ends
    flare: float
    hairline: float
    temples: float
    frame: float  # |u| beyond which hair covers the side of the face
    part: float
    fringe: float  # how far the fringe comes down from the hairline
    sweep: float
    wave: float
    wave_rate: float
    curl: float
    bun: bool
    in_front: bool  # of the shoulders


@dataclass(frozen=True)
class Attire:
    """Cloth, hat and glasses."""

    cloth: str
    cloth_colour: np.ndarray
    second_colour: np.ndarray
    pattern: str
    shoulder: float
    hat: str
    hat_colour: np.ndarray
    hat_band: np.ndarray
    glasses: str
    frame_colour: np.ndarray
    frame_width: float
    frame_round: float
    lens_width: float
    lens_height: float


@dataclass(frozen=True)
class Scene:
    """Everything in one picture."""

    pose: Pose
    light: Light
    face: Face
    eyes: Eyes
    nose: Nose
    mouth: Mouth
    hair: Hair
    attire: Attire
    backdrop: str
