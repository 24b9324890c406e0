"""Errors that the user can act upon."""


class UserError(Exception):
    """One sentence that names the file or key, what was expected, and what to do.

    A stage prints it without a traceback and exits with status 1.
    """
