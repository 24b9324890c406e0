"""Write the kept runs of reports/reference/ into their blocks of README.md.

With --check: changes nothing, and exits 1 if README.md shows other numbers than are kept.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mdrnets.execution.command import handle_user_errors
from mdrnets.files import write_text
from mdrnets.reporting.reference.readme import with_kept_runs

README = Path("README.md")


@handle_user_errors
def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="only tell whether it is current")
    options = parser.parse_args(arguments)
    text = README.read_text(encoding="utf-8")
    current = with_kept_runs(text, README)
    if text == current:
        print(f"{README}: current")
        return 0
    if options.check:
        print(f"{README}: not current; `python -m mdrnets.commands.readme` writes it")
        return 1
    write_text(README, current)
    print(f"{README}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
