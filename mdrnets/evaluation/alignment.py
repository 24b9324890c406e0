"""Align a face as in CelebA-HQ and FFHQ: a turned square from the eyes and the mouth.

Karras et al., "Progressive Growing of GANs", appendix C (arXiv 1710.10196), for CelebA-HQ; FFHQ
(arXiv 1812.04948) has the same square, see https://github.com/NVlabs/ffhq-dataset.
"""

from dataclasses import dataclass

import numpy as np

from mdrnets.evaluation.squares import TurnedSquare

Point = tuple[float, float]


@dataclass(frozen=True)
class Landmarks:
    """Points of a face in pixels, x before y; whole numbers are centres of pixels.

    Left is left in the photograph.

    Attributes:
        left_eye, right_eye: centres of the eyes.
        left_mouth, right_mouth: corners of the mouth.
    """

    left_eye: Point
    right_eye: Point
    left_mouth: Point
    right_mouth: Point


def align_square(face: Landmarks) -> TurnedSquare:
    """The square of a face, as the data sets cut it.

    It lies along the line between the eyes, and at right angles to the line from eyes to mouth, in
    equal parts. Its side is 4 times the distance between the eyes, or 3.6 times that from eyes to
    mouth, whichever is larger. Its centre is below the eyes, by a tenth of the way to the mouth.
    """
    left, right = np.array(face.left_eye), np.array(face.right_eye)
    eyes = (left + right) / 2
    to_eye = right - left
    to_mouth = (np.array(face.left_mouth) + np.array(face.right_mouth)) / 2 - eyes
    direction = to_eye + np.array([to_mouth[1], -to_mouth[0]])
    half = max(2 * np.hypot(*to_eye), 1.8 * np.hypot(*to_mouth))
    x, y = half * direction / np.hypot(*direction)
    centre_x, centre_y = eyes + 0.1 * to_mouth + 0.5  # from centres of pixels to their edges
    return TurnedSquare((float(centre_x), float(centre_y)), (float(x), float(y)))
