"""Images of the page as data URIs, and the faces that a reader can compare."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from mdrnets.reporting.figures.completed_set import CompletedSet
from mdrnets.reporting.figures.figure5 import choose_figure5_images
from mdrnets.reporting.tables.cells import format_bin


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


def encode_png(path: Path) -> str:
    """A PNG file as a data URI."""
    return _to_data_uri(path.read_bytes())


def comparisons(
    sets: Sequence[CompletedSet], *, methods: Mapping[str, str], bin_name: str, seed: int
) -> list[Comparison]:
    """The faces that Figure 5 shows in one bin.

    Args:
        sets: the data sets, with completions by all `methods`.
        methods: name → title.
        bin_name: the bin.
        seed: of the choice of images.
    """
    titles, found = ["Masked input", *methods.values(), "Ground truth"], []
    for faces in sets:
        for at in choose_figure5_images(faces, seed)[bin_name]:
            pair, versions = faces.bins[bin_name][at], faces.versions(methods, bin_name, at)
            found.append(
                Comparison(
                    f"{faces.title}, test image {pair.image}, hole of {format_bin(bin_name)}",
                    [Face(*face) for face in zip(titles, map(_encode, versions), strict=True)],
                    side=len(versions[0]),
                )
            )
    return found


def _encode(image: np.ndarray) -> str:
    """A uint8 H×W×3 image as a data URI, without loss."""
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, "PNG", optimize=True)
    return _to_data_uri(buffer.getvalue())


def _to_data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
