"""Decode and resize a data set's images or label maps, or the hole masks, into one array.

Writes runs/PROFILE/packed/: DATASET.npy (uint8 N×H×W×3), DATASET_labels.npy (uint8 L×H×W, ids
0…13), holes.npy (bool N×H×W, True = hole); rows in the order of the split table.
"""

import sys

from mdrnets.execution.command import stage_command
from mdrnets.execution.run import StageRun


@stage_command("what", "dataset?")
def main(run: StageRun) -> None:
    from mdrnets.data.packed_arrays import pack_array

    what, dataset = run.wildcards["what"], run.wildcards.get("dataset")
    pack_array(run.config, run.layout, what, dataset, run.progress)


if __name__ == "__main__":
    sys.exit(main())
