"""Export a trained method as one folder: weights, options, licence and a model card.

`mdrnets complete --method FOLDER` uses it on any machine with this project, and so does Python:
`from mdrnets import load_method`. With --register, MLflow gets it as a model with a signature.
"""

from collections.abc import Sequence
from pathlib import Path

from mdrnets.commands.command_line import command_parser
from mdrnets.config.constants import PAPERS_METHOD


def main(arguments: Sequence[str]) -> int:
    parser = command_parser("export", __doc__)
    parser.add_argument(
        "folder", metavar="FOLDER", type=Path, nargs="?", help="default: exported/METHOD"
    )
    parser.add_argument(
        "--method", default=PAPERS_METHOD, help="a method of the profile (default: %(default)s)"
    )
    parser.add_argument(
        "--dataset", help="the data set that it was trained on (default: the first)"
    )
    parser.add_argument(
        "--register", action="store_true", help="also register it in MLflow's model registry"
    )
    options = parser.parse_args(arguments)

    from mdrnets.config.load import load_config
    from mdrnets.exchange.export import export_method, find_training

    config = load_config(options.profile)
    dataset = find_training(config, options.method, options.dataset)
    folder = options.folder or Path("exported") / options.method
    exported = export_method(config, network=options.method, dataset=dataset, folder=folder)
    print(f"{folder}: {', '.join(exported.parts)}, trained on {exported.dataset}")
    if options.register:
        from mdrnets.exchange.mlflow_model import register
        from mdrnets.tracking.mlflow_store import require_store

        with require_store():
            print(register(config, exported, dataset=dataset, folder=folder))
    return 0
