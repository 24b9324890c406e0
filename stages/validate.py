"""Compare a trained method with its own untrained network, on validation images.

Writes runs/PROFILE/validation/DATASET/METHOD.json: L1 in the holes of the last bin for the trained
method, the untrained one and a mean fill, and the multiply-accumulates of a completion.
"""

import sys
from collections.abc import Sequence

from mdrnets.execution.command import StageRun, execute, stage_parser


def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument("dataset", help="a data set of the profile")
    parser.add_argument("method", help="a trained method of the profile")
    options = parser.parse_args(arguments)
    wildcards = {"dataset": options.dataset, "method": options.method}
    return execute("validate", wildcards, options.profile, _run)


def _run(run: StageRun) -> None:
    from mdrnets.evaluation.validation import validate_method
    from mdrnets.files import write_text

    dataset, method = run.wildcards["dataset"], run.wildcards["method"]
    validation = validate_method(run.config, dataset=dataset, method=method)
    write_text(run.layout.validation(dataset, method), validation.model_dump_json(indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
