"""Save the numbers of a finished run as a reference run: reports/reference/NAME/.

`mdrnets verify` compares later runs with it, and `mdrnets readme` shows it in README.md. It keeps
tables, claims, costs, curves, the configuration and the list of executions; no images, no weights.
It replaces all files of that folder.
"""

import re
from collections.abc import Sequence

from mdrnets.commands.command_line import command_parser


def main(arguments: Sequence[str]) -> int:
    parser = command_parser("keep", __doc__)
    parser.add_argument(
        "name", nargs="?", help="name of the reference run (default: that of the profile)"
    )
    options = parser.parse_args(arguments)

    from mdrnets.config.load import load_config
    from mdrnets.config.protocol import PROFILE_NAME
    from mdrnets.dag.pipeline import Pipeline
    from mdrnets.layout import REFERENCE
    from mdrnets.reporting.reference.save import save_reference

    pipeline = Pipeline(load_config(options.profile))
    name = options.name or pipeline.config.name
    if not re.fullmatch(PROFILE_NAME, name):
        parser.error(
            f"argument name: found {name!r}, expected small letters, digits, - and _, with a "
            "letter first"
        )
    saved = save_reference(pipeline, name)
    print(f"{REFERENCE / name}: saved {', '.join(saved.tables)}")
    return 0
