"""How coarse faces of validation images are refined: scores and features by image.

The file between validation and the report. Import-light: the report reads it without torch.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from mdrnets.errors import UserError
from mdrnets.files import atomic_write
from mdrnets.files.arrays import read_tensors

TRUTH = "truth"
OUTPUT, COARSE = "output", "coarse"
SCORES = ("hole_l1", "psnr", "features")


@dataclass(frozen=True)
class FaceScores:
    """The scores of n completed faces.

    Attributes:
        hole_l1: float64 n, L1 in the hole in %.
        psnr: float64 n, of the whole composite in dB.
        features: float32 n×D, of the Fréchet distance's network.
    """

    hole_l1: np.ndarray
    psnr: np.ndarray
    features: np.ndarray


@dataclass(frozen=True)
class RefinedFaces:
    """n validation images with a hole of the largest bin.

    Attributes:
        truth: float32 n×D, features of the images themselves.
        output: of the method.
        coarse: of the coarse faces that it starts from; None: the method has no coarse network.
    """

    truth: np.ndarray
    output: FaceScores
    coarse: FaceScores | None


def save_refined_faces(path: Path, faces: RefinedFaces) -> None:
    arrays = {TRUTH: faces.truth}
    for name, scores in ((OUTPUT, faces.output), (COARSE, faces.coarse)):
        if scores is not None:
            arrays |= {f"{name}.{score}": getattr(scores, score) for score in SCORES}
    with atomic_write(path) as temporary:
        save_file({name: np.ascontiguousarray(a) for name, a in arrays.items()}, temporary)


def load_refined_faces(path: Path) -> RefinedFaces:
    """Raises:
    UserError: the file is missing, damaged, or has other arrays.
    """
    again = "run the validate stage"
    arrays = read_tensors(path, load_file, remedy=again)
    needed = {TRUTH, *(f"{OUTPUT}.{score}" for score in SCORES)}
    coarse = {f"{COARSE}.{score}" for score in SCORES}
    if set(arrays) not in (needed, needed | coarse):
        raise UserError(
            f"{path}: expected the arrays {', '.join(sorted(needed | coarse))}, found "
            f"{', '.join(sorted(arrays))}; {again} again"
        )

    def scores(name: str) -> FaceScores:
        return FaceScores(**{score: arrays[f"{name}.{score}"] for score in SCORES})

    return RefinedFaces(
        truth=arrays[TRUTH],
        output=scores(OUTPUT),
        coarse=scores(COARSE) if coarse <= set(arrays) else None,
    )
