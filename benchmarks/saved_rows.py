"""Save measurements in a table, in place of those of the same kind."""

from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import TypeVar

from mdrnets.files.tables import read_rows, write_rows

Row = TypeVar("Row")


def replace_rows(
    path: Path, kind: type[Row], new: Iterable[Row], group: Callable[[Row], Hashable]
) -> None:
    """Replace the rows of the same groups, and keep all others."""
    new = list(new)
    replaced = set(map(group, new))
    old = read_rows(path, kind) if path.exists() else []
    kept = [row for row in old if group(row) not in replaced]
    write_rows(path, kind, kept + new)
