"""Find the faces of a photograph with dlib, whose landmarks CelebA-HQ and FFHQ are aligned by.

An extra, which the project's environment does not contain: dlib, and the packaged weights of its 68
landmarks (King, "Dlib-ml", 2009; Kazemi and Sullivan, 2014). Nothing is downloaded at run time.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from mdrnets.errors import UserError
from mdrnets.evaluation.alignment import Landmarks, Point, align_square
from mdrnets.evaluation.squares import TurnedSquare

MODULES = ("dlib", "face_recognition_models")
INSTALL = "pip install dlib-bin face-recognition-models"
WEIGHTS = Path("models/shape_predictor_68_face_landmarks.dat")
SEARCH_SIDE = 1600
"""Pixels of the longer side of what is searched for faces. The search takes time and memory."""
LEFT_EYE, RIGHT_EYE = slice(36, 42), slice(42, 48)
LEFT_MOUTH, RIGHT_MOUTH = 48, 54


def detector_is_installed() -> bool:
    return all(find_spec(module) is not None for module in MODULES)


def align_face(image: np.ndarray, hole: np.ndarray) -> TurnedSquare:
    """Find the face that has the hole, and return its square.

    Of several faces it is the one whose square contains most of the hole, then the largest.

    Args:
        image: uint8 H×W×3, RGB, upright.
        hole: bool H×W, True = missing.

    Raises:
        UserError: the detector is not installed, or the photograph has no face that it sees.
    """
    if not detector_is_installed():
        raise UserError(
            f"face: no detector is installed; install it with `{INSTALL}`, or name the square "
            "around the face: --crop LEFT,TOP,SIDE"
        )
    squares = [align_square(face) for face in detect_faces(image)]
    if not squares:
        raise UserError(
            "photograph: found no face that looks to the camera; name the square around it "
            "(--crop LEFT,TOP,SIDE; in the demo: the sliders)"
        )
    return min(squares, key=lambda square: (square.count_outside(hole), -square.side))


def detect_faces(image: np.ndarray) -> Iterator[Landmarks]:
    """The landmarks of each face of a photograph, uint8 H×W×3, that looks to the camera."""
    import dlib

    package = find_spec(MODULES[1])
    assert package is not None and package.submodule_search_locations
    predict = dlib.shape_predictor(str(Path(package.submodule_search_locations[0]) / WEIGHTS))
    height, width = image.shape[:2]
    scale = max(1.0, max(height, width) / SEARCH_SIDE)
    small = Image.fromarray(image).resize((round(width / scale), round(height / scale)))
    image = np.ascontiguousarray(image)
    for box in dlib.get_frontal_face_detector()(np.asarray(small), 1):  # 1: twice as large
        edges = (box.left(), box.top(), box.right(), box.bottom())
        points = predict(image, dlib.rectangle(*(round(scale * edge) for edge in edges))).parts()
        places = np.array([(point.x, point.y) for point in points], dtype=float)
        yield Landmarks(
            _point(places[LEFT_EYE].mean(axis=0)),
            _point(places[RIGHT_EYE].mean(axis=0)),
            _point(places[LEFT_MOUTH]),
            _point(places[RIGHT_MOUTH]),
        )


def _point(place: np.ndarray) -> Point:
    return float(place[0]), float(place[1])
