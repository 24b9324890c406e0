"""Fill the holes of a data set's test images with a trained method.

Writes runs/PROFILE/completions/DATASET/METHOD.npy (composites: valid pixels are the input's) and
METHOD_raw.npy (the network's outputs before that), uint8 bins×images×H×W×3.
"""

import sys
from collections.abc import Sequence

from mdrnets.execution.command import StageRun, execute, stage_parser


def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument("dataset", help="a data set of the profile")
    parser.add_argument("method", help="a method of the profile")
    options = parser.parse_args(arguments)
    wildcards = {"dataset": options.dataset, "method": options.method}
    return execute("complete", wildcards, options.profile, _run)


def _run(run: StageRun) -> None:
    from mdrnets.evaluation.completion import complete_test_images

    complete_test_images(
        run.config,
        dataset=run.wildcards["dataset"],
        method=run.wildcards["method"],
        progress=run.progress,
        note=run.note,
    )


if __name__ == "__main__":
    sys.exit(main())
