"""Scores of the semantic classes that are entirely in the hole, so that nothing can be copied.

MDRNets (https://arxiv.org/abs/2204.02824) claims to complete such classes from its memory; the
paper's example is a hole over both eyes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from mdrnets.data.assignment import Pair
from mdrnets.data.classes import CLASSES
from mdrnets.errors import UserError
from mdrnets.files.tables import read_rows
from mdrnets.metrics.pixel import l1, psnr

Source = Literal["annotated", "parsed"]


@dataclass(frozen=True)
class ClassScore:
    """The score of one completion of a class that is entirely in the hole.

    Attributes:
        method: which network completed it.
        image: the image's name.
        bin: of Table 1.
        hole: the hole's name.
        label: the semantic class.
        source: where the class map comes from: the image's annotation, or the face parser's map
            of the ground truth.
        pixels: number of pixels of the class.
        l1: L1 over these pixels, %.
        psnr: PSNR over these pixels, dB.
    """

    method: str
    image: str
    bin: str
    hole: str
    label: str
    source: str
    pixels: int
    l1: float
    psnr: float


@dataclass(frozen=True)
class ClassMap:
    """The class of each pixel of an image.

    Attributes:
        labels: uint8 H×W, ids of `CLASSES`.
        source: see `ClassScore`.
    """

    labels: np.ndarray
    source: Source


def score_classes(
    method: str,
    pairs: Sequence[Pair],
    completions: np.ndarray,
    *,
    images: np.ndarray,
    holes: np.ndarray,
    maps: Mapping[int, ClassMap],
) -> Iterator[ClassScore]:
    """Score every class that is entirely in the hole.

    Args:
        method: the method of the completions.
        pairs: rows of an image and of its hole.
        completions: uint8 P×H×W×3, in the order of `pairs`.
        images: uint8 N×H×W×3, the ground truth, indexed by the pairs' `image_row`.
        holes: bool N×H×W, True = hole, indexed by the pairs' `hole_row`.
        maps: class maps by `image_row`.
    """
    for pair, completion in zip(pairs, completions, strict=True):
        labels, hole = maps[pair.image_row].labels, holes[pair.hole_row]
        hidden = np.setdiff1d(labels[hole], labels[~hole])
        class_pixels = torch.from_numpy(labels == hidden[:, None, None])  # K×H×W
        truth, completed = (
            torch.from_numpy(np.array(image)).expand(len(hidden), *image.shape)
            for image in (images[pair.image_row], completion)
        )
        errors = l1(completed, truth, class_pixels), psnr(completed, truth, class_pixels)
        columns = hidden, class_pixels.sum(dim=(1, 2)), *errors
        for label, *numbers in zip(*(column.tolist() for column in columns), strict=True):
            source = maps[pair.image_row].source
            yield ClassScore(
                method, pair.image, pair.bin, pair.hole, CLASSES[label], source, *numbers
            )


def read_class_scores(path: Path, methods: Sequence[str]) -> dict[str, list[ClassScore]]:
    """Read the scores of each method: the same images, holes and classes in the same order.

    Raises:
        UserError: the file is missing or damaged, or has other methods.
    """
    scores: dict[str, list[ClassScore]] = {method: [] for method in methods}
    for score in read_rows(path, ClassScore):
        scores.setdefault(score.method, []).append(score)
    orders = {
        tuple((score.image, score.bin, score.hole, score.label) for score in method_scores)
        for method_scores in scores.values()
    }
    if list(scores) != list(methods) or len(orders) != 1:
        raise UserError(
            f"{path}: expected the same classes of {', '.join(methods)}; run the per_class stage "
            "again"
        )
    return scores
