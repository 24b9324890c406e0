"""Everything that people run by hand: plan, check, share and describe the runs of a profile.

Run it in the project's folder. The stages themselves are run by Snakemake or DVC, or one by one
with `python -m stages.NAME`.
"""

import sys
from collections.abc import Sequence

from mdrnets.commands.command_line import CommandParser, command_summaries, run_command
from mdrnets.execution.log import tolerate_encoding


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 1 an error, 2 wrong usage, 130 Ctrl-C.

    Args:
        arguments: the command's name and its arguments; by default those of the command line.
    """
    tolerate_encoding()
    summaries = command_summaries()
    width = max(map(len, summaries))
    parser = CommandParser(
        "mdrnets",
        __doc__,
        usage="%(prog)s COMMAND [ARGUMENTS]",
        epilog="\n".join(
            [
                "commands:",
                *(f"  {name:{width}}  {summary}" for name, summary in summaries.items()),
                "\n`mdrnets COMMAND --help` describes a command.",
            ]
        ),
    )
    parser.add_argument("command", metavar="COMMAND", choices=summaries, help="one of those below")
    arguments = sys.argv[1:] if arguments is None else arguments
    command: str = parser.parse_args(arguments[:1]).command
    return run_command(command, arguments[1:])


if __name__ == "__main__":
    sys.exit(main())
