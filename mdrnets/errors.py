"""Errors that the user can correct."""

from collections.abc import Collection
from itertools import islice

MAX_NAMED = 10
"""Number of files that one message names at most; it counts the others."""


def list_names(names: Collection[str]) -> str:
    """The first names, and the number of the others."""
    more = f" and {len(names) - MAX_NAMED:,} more" if len(names) > MAX_NAMED else ""
    return ", ".join(islice(names, MAX_NAMED)) + more


class UserError(Exception):
    """One sentence: the file or key, what was found, what was expected, and what to do.

    Stages and commands print it without a traceback and exit with status 1.
    """
