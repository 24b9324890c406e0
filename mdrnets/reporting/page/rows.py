"""Reading the tables of the report: each row as an object of its dataclass."""

import csv
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from mdrnets.data.tables import read_table

Row = TypeVar("Row")


def read_header(path: Path) -> list[str]:
    """The header of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file), [])


def field_names(kind: type) -> list[str]:
    """The columns of a table of these dataclass objects."""
    return [field.name for field in fields(kind)]


def read_rows(path: Path, kind: type[Row]) -> list[Row]:
    """The rows as objects of a dataclass; an empty value becomes its default.

    Raises:
        UserError: the table is missing, or its columns are not the fields.
    """
    adapter = TypeAdapter(kind)
    return [
        adapter.validate_python({name: value for name, value in row.items() if value != ""})
        for row in read_table(path, field_names(kind))
    ]
