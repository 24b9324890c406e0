"""Errors that the user can correct."""

MAX_NAMED = 10
"""Most files that one message names; it counts the others."""


class UserError(Exception):
    """One sentence: the file or key, what was found, what was expected, and what to do.

    Stages and commands print it without a traceback and exit with status 1.
    """
