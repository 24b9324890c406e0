"""The faces that a reader of the page can compare: all versions of those that Figure 5 shows.

Writes comparisons.json, so that the page itself reads no completions.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from mdrnets.config.load import Config
from mdrnets.data.png import encode_png, to_data_uri
from mdrnets.files import write_text
from mdrnets.files.text import read_json_as
from mdrnets.layout import Layout
from mdrnets.reporting.figures.completed_set import CompletedSet, read_completed_sets
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
class ComparedFace:
    """All versions of one face.

    Attributes:
        title: data set, hole and image.
        faces: masked input, completions, ground truth.
        side: of the image in pixels.
    """

    title: str
    faces: Sequence[Face]
    side: int


def render(config: Config, layout: Layout, name: str) -> None:
    """Write comparisons.json."""
    methods = config.method_titles
    faces = compare_faces(
        read_completed_sets(config, methods),
        methods=methods,
        bin_name=config.protocol.largest_bin,
        seed=config.protocol.seed,
    )
    text = json.dumps([asdict(each) for each in faces], indent=1, ensure_ascii=False) + "\n"
    write_text(layout.report(f"{name}.json"), text)


def read_comparisons(path: Path) -> list[ComparedFace]:
    """The inverse of `render`.

    Raises:
        UserError: the file is missing or damaged.
    """
    return read_json_as(list[ComparedFace], path, remedy="render the comparisons")


def compare_faces(
    sets: Sequence[CompletedSet], *, methods: Mapping[str, str], bin_name: str, seed: int
) -> list[ComparedFace]:
    """The faces that Figure 5 shows in one bin.

    Args:
        sets: the data sets, with completions by all `methods`.
        methods: name → title.
        bin_name: the bin.
        seed: of the choice of images.
    """
    titles = ["Masked input", *methods.values(), "Ground truth"]
    comparisons = []
    for faces in sets:
        for at in choose_figure5_images(faces, seed)[bin_name]:
            pair, versions = faces.bins[bin_name][at], faces.versions(methods, bin_name, at)
            comparisons.append(
                ComparedFace(
                    f"{faces.title}, test image {pair.image}, hole of {format_bin(bin_name)}",
                    [Face(*face) for face in zip(titles, map(_encode, versions), strict=True)],
                    side=len(versions[0]),
                )
            )
    return comparisons


def _encode(image: np.ndarray) -> str:
    """A uint8 H×W×3 image as a data URI, without loss."""
    return to_data_uri(encode_png(image, optimize=True))
