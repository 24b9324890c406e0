"""Read and write small CSV tables between stages. All values are read as strings.

pandas is not used: importing it takes half a second, and it reads the id 00012 as 12.
"""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from mdrnets.errors import UserError
from mdrnets.files import atomic_write


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a header and rows. Floats keep all digits, so equal tables have equal bytes."""
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def read_table(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Return the rows of a table as dictionaries.

    Raises:
        UserError: the file is missing or has other columns.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            header, rows = list(reader.fieldnames or []), list(reader)
    except FileNotFoundError:
        raise UserError(f"{path}: table not found; run the stage that writes it") from None
    if header != list(columns):
        raise UserError(
            f"{path}: found the columns {', '.join(header) or '(none)'}, expected "
            f"{', '.join(columns)}; "
            "remove the file and run the stage that writes it"
        )
    if any(None in row or None in row.values() for row in rows):
        raise UserError(
            f"{path}: a row has too few or too many values; "
            "remove the file and run the stage that writes it"
        )
    return rows
