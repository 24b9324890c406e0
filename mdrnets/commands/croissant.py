"""Describe a profile's splits and masks as a Croissant file: runs/PROFILE/croissant.json.

The description (Croissant 1.1, JSON-LD) names the archives of faces and masks by SHA-256. It tells
programs how to read the tables next to it: ids, roles and hashes of the images, and which mask is
applied to which image.
"""

import json
from collections.abc import Sequence

from mdrnets.commands.command_line import command_parser


def main(arguments: Sequence[str]) -> int:
    options = command_parser("croissant", __doc__).parse_args(arguments)

    from mdrnets.config.load import load_config
    from mdrnets.exchange.croissant import describe
    from mdrnets.files import write_text
    from mdrnets.layout import Layout

    config = load_config(options.profile)
    target = Layout(config.name).run / "croissant.json"
    write_text(target, json.dumps(describe(config), indent=1, ensure_ascii=False) + "\n")
    print(target)
    return 0
