"""Pictures for a page that loads nothing: data URIs, and the faces that a reader can compare."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from mdrnets.reporting.figures.completed_set import CompletedSet
from mdrnets.reporting.figures.figure5 import choice_of
from mdrnets.reporting.tables.cells import bin_title


@dataclass(frozen=True)
class Face:
    """One version of a face.

    Attributes:
        title: masked input, a method, or ground truth.
        source: data URI.
    """

    title: str
    source: str


@dataclass(frozen=True)
class Comparison:
    """All versions of one face.

    Attributes:
        title: data set, hole and image.
        faces: masked input, completions, ground truth.
        side: of the image in pixels.
    """

    title: str
    faces: Sequence[Face]
    side: int


def picture(path: Path) -> str:
    """A PNG file as a data URI."""
    return _uri(path.read_bytes())


def comparisons(
    sets: Sequence[CompletedSet], *, methods: Mapping[str, str], of_bin: str, seed: int
) -> list[Comparison]:
    """The faces that Figure 5 shows in one bin.

    Args:
        sets: the data sets, with completions by all `methods`.
        methods: name → title.
        of_bin: the bin.
        seed: of the choice of images.
    """
    titles, found = ["Masked input", *methods.values(), "Ground truth"], []
    for of_set in sets:
        for at in choice_of(of_set, seed)[of_bin]:
            pair, versions = of_set.bins[of_bin][at], of_set.versions(methods, of_bin, at)
            found.append(
                Comparison(
                    f"{of_set.title}, test image {pair.image}, hole of {bin_title(of_bin)}",
                    [Face(*face) for face in zip(titles, map(_encoded, versions), strict=True)],
                    side=len(versions[0]),
                )
            )
    return found


def _encoded(image: np.ndarray) -> str:
    """A uint8 H×W×3 image as a data URI, without loss."""
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, "PNG", optimize=True)
    return _uri(buffer.getvalue())


def _uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
