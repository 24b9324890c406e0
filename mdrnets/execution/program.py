"""What the command lines of all programs share: the profile, errors of users, exit codes.

0 done, 1 an error, 2 wrong usage, 130 Ctrl-C, 143 SIGTERM.
"""

import argparse
import errno
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from mdrnets.errors import UserError
from mdrnets.files import FULL_DISK

FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
"""Error numbers for a folder or file that may not be written or read."""


def profile_parser(prog: str | None, doc: str | None) -> argparse.ArgumentParser:
    """A parser whose help is the program's docstring, with `--profile`."""
    parser = argparse.ArgumentParser(
        prog=prog, description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_profile_option(parser)
    return parser


def add_profile_option(parser: argparse.ArgumentParser) -> None:
    """Add `--profile`."""
    parser.add_argument(
        "--profile",
        help="name of a file in profiles/, without .yaml (default: the one in params.yaml)",
    )


def print_user_error(error: UserError) -> int:
    """Print the message of an error that the user can correct. Returns the exit code."""
    print(f"error: {error}", file=sys.stderr)
    return 1


def missing_package_error(error: ModuleNotFoundError) -> UserError | None:
    """The sentence for a package that is not installed; None if a module of the project is missing.

    That happens when a program is started without the project's environment.
    """
    package = (error.name or "").partition(".")[0]
    if not package or Path(package).exists() or Path(f"{package}.py").exists():
        return None
    return UserError(
        f"{package}: not installed in {sys.executable}; activate the project's environment with "
        "`source .venv/bin/activate`, which `make environment` installs"
    )


def exit_code(run: Callable[[], int]) -> int:
    """Run a program, and print errors that the user can correct. Returns the exit code.

    Args:
        run: the program; returns its exit code.
    """
    try:
        return run()
    except UserError as error:
        return print_user_error(error)
    except ModuleNotFoundError as error:
        missing = missing_package_error(error)
        if missing is None:
            raise
        return print_user_error(missing)
    except OSError as error:
        if error.errno in FULL_DISK:
            where = f"{error.filename}: " if error.filename else ""
            return print_user_error(
                UserError(f"{where}the disk is full; free some space and run again")
            )
        if error.errno not in FORBIDDEN or error.filename is None:
            raise
        return print_user_error(
            UserError(
                f"{error.filename}: {error.strerror}; make it readable and writable, or run the "
                "project from another folder"
            )
        )
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
