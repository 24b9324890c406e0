"""Errors that the user can correct."""


class UserError(Exception):
    """One sentence: the file or key, what was found, what was expected, and what to do.

    Stages and commands print it without a traceback and exit with status 1.
    """
