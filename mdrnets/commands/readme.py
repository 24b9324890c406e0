"""Write the reference runs of reports/reference/ into their blocks of README.md.

With --check it changes nothing, and exits with 1 if README.md is not current.
"""

from collections.abc import Sequence
from pathlib import Path

from mdrnets.commands.command_line import CommandParser

README = Path("README.md")


def main(arguments: Sequence[str]) -> int:
    parser = CommandParser("mdrnets readme", __doc__)
    parser.add_argument("--check", action="store_true", help="only check that README.md is current")
    options = parser.parse_args(arguments)

    from mdrnets.files import write_text
    from mdrnets.files.text import read_text
    from mdrnets.reporting.reference.readme import with_reference_runs

    text = read_text(README, remedy="restore it from git")
    current = with_reference_runs(text, README)
    if text == current:
        print(f"{README}: current")
        return 0
    if options.check:
        print(f"{README}: not current; run `mdrnets readme`")
        return 1
    write_text(README, current)
    print(f"{README}: written")
    return 0
