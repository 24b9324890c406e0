"""Marks that say where a value comes from, written where the value is written.

    alpha: Annotated[float, Field(ge=0, le=1), Cited("MOSS; α of equation 3")] = 0.999

They annotate the fields of `Options` and module constants. `mdrnets/assumptions/` collects
everything that is `Cited` or `Chosen` into the assumption ledger.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """Base class of the marks.

    Attributes:
        source: the source or the reason, in a few words.
        file: the file in which the value is used, relative to the folder of the module that
            defines it; empty: that module itself.
    """

    source: str = ""
    file: str = ""


class Paper(Mark):
    """Stated in the paper of the method."""


class Official(Mark):
    """Taken from the official code of the method, or from advice of its authors."""


class Cited(Mark):
    """Taken from the work that the paper cites at that point, or from a precedent."""


class Chosen(Mark):
    """Our own choice."""


def find_mark(metadata: Iterable[object]) -> Mark | None:
    """The mark among the metadata of an annotation, or None."""
    return next((item for item in metadata if isinstance(item, Mark)), None)
