"""What single parts of trained networks contribute: the table that docs/real_faces.md shows."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.saved_rows import replace_rows

PARTS = Path(__file__).resolve().with_name("parts.csv")


class Measurement(NamedTuple):
    """What is measured of each part: the titles of a table's columns."""

    table: str
    unit: str


MDRNETS_PARTS = Measurement("MDRNets: hole filled by", "L1 in the hole %")
LOSS_TERMS = Measurement("MDRNets: loss term", "share of the gradient's norm, %")
MEMORY = Measurement("MDRNets: memory, parser and correlation", "")
ICT_PARTS = Measurement("ICT: hole filled by", "L1 in the hole %")


@dataclass(frozen=True)
class Part:
    """A measured value.

    Attributes:
        profile, dataset: of the run.
        table: see `Measurement`.
        part: what was replaced or measured.
        value: in the unit of the measurement, or that `part` names.
    """

    profile: str
    dataset: str
    table: str
    part: str
    value: float


def save_parts(new: Iterable[Part], path: Path = PARTS) -> None:
    """Replace the tables of the same profile and data set, and keep all others."""
    replace_rows(path, Part, new, lambda part: (part.profile, part.dataset, part.table))
