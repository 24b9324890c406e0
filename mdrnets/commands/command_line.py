"""What the commands share: their list, their arguments, their log and their exit codes.

Import-light, so that `--help` is fast. A command imports what it works with after it has read its
arguments.
"""

import ast
import importlib
import os
import signal
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from mdrnets.execution.log import log_to_stderr
from mdrnets.execution.program import add_profile_option, exit_code

FOLDER = Path(__file__).parent


def command_summaries() -> dict[str, str]:
    """The first line of each command's docstring, by the command's name."""
    files = sorted(FOLDER.glob("[!_]*.py"))
    return {
        path.stem.replace("_", "-"): _first_line(path) for path in files if path != Path(__file__)
    }


class CommandParser(ArgumentParser):
    """Keeps the lines of the description; after a wrong argument, shows what there is."""

    def __init__(self, prog: str, description: str | None, **options: Any) -> None:
        super().__init__(
            prog, description=description, formatter_class=RawDescriptionHelpFormatter, **options
        )

    def error(self, message: str) -> NoReturn:
        self.print_help(sys.stderr)
        self.exit(2, f"\n{self.prog}: error: {message}\n")


def command_parser(name: str, doc: str | None) -> CommandParser:
    """A parser whose help is the command's docstring, with `--profile`."""
    parser = CommandParser(f"mdrnets {name}", doc)
    add_profile_option(parser)
    return parser


def run_command(name: str, arguments: Sequence[str]) -> int:
    """Run a command and return its exit code; see `mdrnets.__main__.main`."""
    command = importlib.import_module(f"mdrnets.commands.{name.replace('-', '_')}")
    with log_to_stderr():
        try:
            code = exit_code(lambda: command.main(arguments))
            sys.stdout.flush()
            return code
        except BrokenPipeError:  # `| head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 128 + signal.SIGPIPE


def _first_line(path: Path) -> str:
    doc = ast.get_docstring(ast.parse(path.read_bytes(), filename=str(path)))
    return (doc or "").partition("\n")[0]
