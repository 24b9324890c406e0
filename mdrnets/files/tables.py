"""Write CSV tables, and read those that may be missing or damaged.

pandas is not used: importing it takes half a second, and it reads the id 00012 as 12.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any, TypeVar

from mdrnets.errors import UserError
from mdrnets.files import atomic_write
from mdrnets.files.text import read_text, unreadable_error

Row = TypeVar("Row")
REMEDY = "run the stage that writes it"


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a header and rows. Floats keep all digits, so equal tables have equal bytes."""
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def write_rows(path: Path, kind: type, rows: Iterable[Any]) -> None:
    """Write objects of a dataclass, whose fields are the columns: the inverse of `read_rows`.

    None becomes an empty value, a truth value 0 or 1.
    """
    values = ([int(v) if isinstance(v, bool) else v for v in astuple(row)] for row in rows)
    write_table(path, field_names(kind), values)


def read_header(path: Path, *, remedy: str = REMEDY) -> list[str]:
    """The columns of a table, none for an empty file.

    Raises:
        UserError: the file is missing or damaged.
    """
    return _read(path, remedy)[0]


def read_table(
    path: Path, columns: Sequence[str] | None = None, *, remedy: str = REMEDY
) -> list[dict[str, str]]:
    """Return the rows of a table as dictionaries.

    Args:
        path: the file.
        columns: that it must have, in order; None: any.
        remedy: what to do if it is missing, for error messages.

    Raises:
        UserError: the file is missing or damaged, or has other columns.
    """
    header, *rows = _read(path, remedy)
    if header != list(header if columns is None else columns):
        raise UserError(
            f"{path}: found the columns {', '.join(header) or '(none)'}, expected "
            f"{', '.join(columns or ())}; remove the file and {remedy}"
        )
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise UserError(
                f"{path}: row {number} has {len(row)} values, expected {len(header)}; remove the "
                f"file and {remedy}"
            )
    return [dict(zip(header, row, strict=True)) for row in rows]


def read_rows(path: Path, kind: type[Row], *, remedy: str = REMEDY) -> list[Row]:
    """The rows as objects of a dataclass, whose fields are the columns.

    An empty value becomes the default of its field.

    Raises:
        UserError: the file is missing or damaged, has other columns, or a value of another type.
    """
    from pydantic import TypeAdapter, ValidationError  # slow, and `mdrnets plan --help` needs none

    table = read_table(path, field_names(kind), remedy=remedy)
    try:
        rows: list[Row] = TypeAdapter(list[kind]).validate_python(  # type: ignore[valid-type]
            [{name: value for name, value in row.items() if value != ""} for row in table]
        )
    except ValidationError as error:
        first = error.errors()[0]
        row, *column = first["loc"]
        raise UserError(
            f"{path}: row {int(row) + 2}, column {'.'.join(map(str, column))}: {first['msg']}; "
            f"remove the file and {remedy}"
        ) from None
    return rows


def field_names(kind: type) -> list[str]:
    """The columns of a table of these dataclass objects."""
    return [field.name for field in fields(kind)]


def _read(path: Path, remedy: str) -> list[list[str]]:
    """Header and rows; blank lines are skipped."""
    text = read_text(path, remedy=remedy)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise unreadable_error(path, error, kind="a CSV table", remedy=remedy) from None
    return rows or [[]]
