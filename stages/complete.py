"""Fill the holes of a data set's test images with a trained method.

Writes runs/PROFILE/completions/DATASET/METHOD.npy (composites: valid pixels are the input's) and
METHOD_raw.npy (the network's outputs before that), uint8 bins×images×H×W×3.
"""

import sys

from mdrnets.execution.command import stage_command
from mdrnets.execution.run import StageRun


@stage_command("dataset", "method")
def main(run: StageRun) -> None:
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
