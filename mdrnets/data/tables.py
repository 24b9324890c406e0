"""Small CSV tables between stages: every value a string until its reader says otherwise.

Without pandas, which costs half a second at each start and would read the id 00012 as 12.
"""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from mdrnets.errors import UserError
from mdrnets.files import atomic_write


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a header and rows. Floats keep all their digits, so equal tables are equal bytes."""
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def read_table(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a table, by column.

    Raises:
        UserError: no such file, or other columns than these.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            found, rows = list(reader.fieldnames or []), list(reader)
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such table; run the stage that writes it") from None
    if found != list(columns):
        raise UserError(
            f"{path}: expected the columns {', '.join(columns)}, found "
            f"{', '.join(found) or 'nothing'}; "
            "remove the file and run the stage that writes it"
        )
    if any(None in row or None in row.values() for row in rows):
        raise UserError(
            f"{path}: a row has too few or too many values; "
            "remove the file and run the stage that writes it"
        )
    return rows
