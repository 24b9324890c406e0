"""The accuracy of a face parser by class: the table between inspection and report.

Import-light: the report reads it without importing torch.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mdrnets.data.classes import CLASSES
from mdrnets.files.tables import read_rows

COMPLETE = "complete"
"""The parser's input: complete images. Otherwise it is the bin of the coarse composites."""


@dataclass(frozen=True)
class ParsedClass:
    """Counts of one class over all images.

    Attributes:
        input: `COMPLETE`, or a bin.
        name: name of the class.
        images: number of images whose label map has the class.
        pixels: number of pixels of the class in the label maps.
        predicted: number of pixels of the class in the parser's maps.
        both: number of pixels of the class in both.
    """

    input: str
    name: str
    images: int
    pixels: int
    predicted: int
    both: int

    @property
    def iou(self) -> float:
        """Intersection over union; NaN if neither map has the class."""
        union = self.pixels + self.predicted - self.both
        return self.both / union if union else float("nan")


def count_classes(input_name: str, labels: np.ndarray, parsed: np.ndarray) -> list[ParsedClass]:
    """Compare the parser's maps with the label maps, class by class.

    Args:
        input_name: the parser's input, `COMPLETE` or a bin.
        labels: N×H×W class ids of the label maps.
        parsed: N×H×W class ids of the parser's maps.
    """
    classes = []
    for label, name in enumerate(CLASSES):
        annotated, predicted = labels == label, parsed == label
        classes.append(
            ParsedClass(
                input=input_name,
                name=name,
                images=int(annotated.any(axis=(1, 2)).sum()),
                pixels=int(annotated.sum()),
                predicted=int(predicted.sum()),
                both=int((annotated & predicted).sum()),
            )
        )
    return classes


def mean_iou(classes: Iterable[ParsedClass]) -> float:
    """Mean over the classes in the label maps; NaN if they have none."""
    ious = [parsed.iou for parsed in classes if parsed.pixels]
    return float(np.mean(ious)) if ious else float("nan")


def read_parsing(path: Path) -> dict[str, list[ParsedClass]]:
    """Read the classes by the parser's input.

    Raises:
        UserError: the table is missing or has other columns.
    """
    classes: dict[str, list[ParsedClass]] = {}
    for parsed in read_rows(path, ParsedClass):
        classes.setdefault(parsed.input, []).append(parsed)
    return classes
