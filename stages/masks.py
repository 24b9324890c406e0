"""Assign a hole to every test image of a data set in every bin of Table 1.

Writes runs/PROFILE/masks/DATASET.csv: image, image_row, bin, hole, hole_row, ratio, role; rows of
the role `test` first. Rows of the role `validation` are for choices that must not depend on test
images.
"""

import sys

from mdrnets.execution.command import stage_command
from mdrnets.execution.run import StageRun


@stage_command("dataset")
def main(run: StageRun) -> None:
    from mdrnets.data.assignment import Pair, assign
    from mdrnets.data.dataset import HOLE_SPLIT_COLUMNS, SPLIT_COLUMNS, open_array
    from mdrnets.files.tables import read_table, write_rows

    name, protocol, table = run.wildcards["dataset"], run.config.protocol, run.layout.hole_split()
    hole_split = read_table(table, HOLE_SPLIT_COLUMNS)
    pairs = assign(
        read_table(run.layout.split(name), SPLIT_COLUMNS),
        hole_split,
        open_array(run.layout.holes(), dtype="bool", rows=len(hole_split), table=table),
        bins=protocol.bins,
        seed=protocol.seed,
        dataset=name,
    )
    write_rows(run.layout.assignment(name), Pair, pairs)


if __name__ == "__main__":
    sys.exit(main())
