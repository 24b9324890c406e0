"""How well a face parser finds each class: the table between inspection and report.

Import-light: the report reads it without torch.
"""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np

from mdrnets.data.classes import CLASSES
from mdrnets.data.tables import read_table, write_table

COMPLETE = "complete"
"""What the parser was given: images without a hole; else the bin of the coarse composites."""


@dataclass(frozen=True)
class ParsedClass:
    """One class in all images together.

    Attributes:
        input: `COMPLETE`, or a bin.
        name: of the class.
        images: whose label map has the class.
        pixels: of the class in the label maps.
        predicted: pixels that the parser takes for it.
        both: pixels of which both is true.
    """

    input: str
    name: str
    images: int
    pixels: int
    predicted: int
    both: int

    @property
    def iou(self) -> float:
        """Intersection over union; NaN where neither has the class."""
        union = self.pixels + self.predicted - self.both
        return self.both / union if union else float("nan")


COLUMNS = tuple(field.name for field in fields(ParsedClass))


def count_classes(given: str, labels: np.ndarray, parsed: np.ndarray) -> list[ParsedClass]:
    """Compare label maps with what was parsed, class by class.

    Args:
        given: what the parser was given.
        labels: N×H×W class ids.
        parsed: N×H×W class ids.
    """
    classes = []
    for label, name in enumerate(CLASSES):
        here, found = labels == label, parsed == label
        classes.append(
            ParsedClass(
                input=given,
                name=name,
                images=int(here.any(axis=(1, 2)).sum()),
                pixels=int(here.sum()),
                predicted=int(found.sum()),
                both=int((here & found).sum()),
            )
        )
    return classes


def mean_iou(classes: Iterable[ParsedClass]) -> float:
    """Over the classes that the label maps have; NaN where they have none."""
    ious = [parsed.iou for parsed in classes if parsed.pixels]
    return float(np.mean(ious)) if ious else float("nan")


def write_parsing(path: Path, classes: Sequence[ParsedClass]) -> None:
    write_table(path, COLUMNS, (astuple(parsed) for parsed in classes))


def read_parsing(path: Path) -> dict[str, list[ParsedClass]]:
    """What was given → its classes.

    Raises:
        UserError: no such table, or another one.
    """
    found: dict[str, list[ParsedClass]] = {}
    for row in read_table(path, COLUMNS):
        counts = {column: int(row[column]) for column in COLUMNS[2:]}
        parsed = ParsedClass(input=row["input"], name=row["name"], **counts)
        found.setdefault(parsed.input, []).append(parsed)
    return found
