"""Print the name of the profile that commands and stages use without `--profile`.

`params.yaml` names it. The Makefile calls this command instead of parsing the file itself.
"""

from collections.abc import Sequence

from mdrnets.commands.command_line import CommandParser


def main(arguments: Sequence[str]) -> int:
    CommandParser("mdrnets profile", __doc__).parse_args(arguments)

    from mdrnets.config.load import load_config

    print(load_config().name)
    return 0
