"""Assign every image of a data set, or every hole mask, to training, validation or test.

Writes runs/PROFILE/splits/DATASET.csv: id, role, labelled, sha256; for `holes`: id, step, role,
sha256. The hash is that of the file. Files of the same content in two roles are an error.
"""

import sys

from mdrnets.execution.command import stage_command
from mdrnets.execution.run import StageRun

HOLES = "holes"


@stage_command("dataset")
def main(run: StageRun) -> None:
    from mdrnets.data.split_tables import split_holes, split_images

    if (name := run.wildcards["dataset"]) == HOLES:
        split_holes(run.config, run.layout, run.progress)
    else:
        split_images(run.config, run.layout, name, run.progress)


if __name__ == "__main__":
    sys.exit(main())
