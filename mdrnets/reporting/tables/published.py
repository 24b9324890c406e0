"""The published numbers, read from `reports/published/`."""

from collections.abc import Mapping
from pathlib import Path

from mdrnets.errors import UserError
from mdrnets.files.tables import read_table
from mdrnets.layout import PUBLISHED_TABLE1

COLUMNS = ("dataset", "method", "metric", "bin", "value")

Published = Mapping[tuple[str, str, str, str], float]
"""(data set, method, metric, bin) → value."""


def published_methods(published: Published) -> set[str]:
    """The methods of the paper's table."""
    return {method for _, method, _, _ in published}


def load_published(path: Path = PUBLISHED_TABLE1) -> Published:
    """Read a published table.

    Raises:
        UserError: the file is missing, has other columns, or a value is not a number.
    """
    published = {}
    for row in read_table(path, COLUMNS):
        key = (row["dataset"], row["method"], row["metric"], row["bin"])
        try:
            published[key] = float(row["value"])
        except ValueError:
            raise UserError(
                f"{path}: {', '.join(key)}: expected a number, found {row['value']!r}; correct it"
            ) from None
    return published
