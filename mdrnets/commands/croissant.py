"""Describe a profile's splits and masks for machines: runs/PROFILE/croissant.json.

The description (Croissant 1.1, JSON-LD) names the archives of faces and masks by SHA-256, and tells
how to read ids, roles and hashes, and which mask meets which image, from the tables beside it.
"""

import json
import sys
from collections.abc import Sequence

from mdrnets.config.load import load_config
from mdrnets.exchange.croissant import describe
from mdrnets.execution.command import handle_user_errors, stage_parser
from mdrnets.files import write_text
from mdrnets.layout import Layout


@handle_user_errors
def main(arguments: Sequence[str] | None = None) -> int:
    options = stage_parser(__doc__).parse_args(arguments)
    config = load_config(options.profile)
    target = Layout(config.name).run / "croissant.json"
    write_text(target, json.dumps(describe(config), indent=1, ensure_ascii=False) + "\n")
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
