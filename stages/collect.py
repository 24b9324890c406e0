"""Collect completions of the test images of a data set that were made by other software.

Writes runs/PROFILE/completions/DATASET/METHOD.npy (composites: valid pixels are those of the input)
and METHOD_raw.npy (the given images), uint8 bins×images×H×W×3.
"""

import sys

from mdrnets.execution.command import stage_command
from mdrnets.execution.run import StageRun


@stage_command("dataset", "method")
def main(run: StageRun) -> None:
    from mdrnets.evaluation.collection import collect_test_images

    collect_test_images(
        run.config,
        dataset=run.wildcards["dataset"],
        method=run.wildcards["method"],
        progress=run.progress,
    )


if __name__ == "__main__":
    sys.exit(main())
