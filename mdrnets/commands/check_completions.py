"""Check completions of the test images that were made by other software.

FOLDER, or a zip archive, contains BIN/IMAGE.png for every bin and test image of one data set, as
`mdrnets export-inputs` names them. An image that is missing, superfluous, damaged or of another
size is an error. What scoring would accept but looks suspicious is printed.
"""

from collections.abc import Sequence
from pathlib import Path

from mdrnets.commands.command_line import command_parser


def main(arguments: Sequence[str]) -> int:
    parser = command_parser("check-completions", __doc__)
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="or a zip archive")
    parser.add_argument("--dataset", help="a data set of the profile (default: the first)")
    options = parser.parse_args(arguments)

    from mdrnets.config.load import load_config
    from mdrnets.errors import list_names
    from mdrnets.exchange.external import check_completions, read_task

    config = load_config(options.profile)
    dataset = options.dataset or config.profile.first_dataset
    completions = check_completions(read_task(config, dataset), options.folder)
    print(f"{options.folder}: all {completions.count} completions of {dataset} found")
    for names, problem in (
        (
            completions.changed,
            "differ from the original outside of the hole; those pixels are replaced",
        ),
        (completions.unfilled, "are the masked images: their holes are not filled"),
    ):
        if names:
            print(f"{options.folder}: {len(names)} {problem} ({list_names(names)})")
    return 1 if completions.unfilled else 0
