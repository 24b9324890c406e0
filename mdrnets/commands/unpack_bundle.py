"""Write the compressed inputs of a bundle, on the machine where it was unpacked.

The bundle's Snakefile calls this; see `mdrnets bundle`. Each file is checked against its SHA-256.
"""

from collections.abc import Sequence

from mdrnets.commands.command_line import CommandParser


def main(arguments: Sequence[str]) -> int:
    CommandParser("mdrnets unpack-bundle", __doc__).parse_args(arguments)

    from mdrnets.exchange.bundle import unpack_inputs

    print(f"{unpack_inputs()} files unpacked")
    return 0
