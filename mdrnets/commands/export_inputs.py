"""Write the masked test images and their holes as PNG, for software outside this project.

FOLDER/DATASET/masked/BIN/IMAGE.png is black in the hole; FOLDER/DATASET/holes/BIN/IMAGE.png is
white there. `mdrnets check-completions` checks what the software makes of them.
"""

from collections.abc import Sequence
from pathlib import Path

from mdrnets.commands.command_line import command_parser


def main(arguments: Sequence[str]) -> int:
    parser = command_parser("export-inputs", __doc__)
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="is created")
    parser.add_argument("--dataset", help="a data set of the profile (default: all of them)")
    options = parser.parse_args(arguments)

    from mdrnets.config.load import load_config
    from mdrnets.exchange.external import export_inputs, read_task

    config = load_config(options.profile)
    for dataset in [options.dataset] if options.dataset else config.profile.datasets:
        folder = options.folder / dataset
        print(f"{folder}: {export_inputs(read_task(config, dataset), folder)} images")
    return 0
