"""Look into the memory of a trained method: which slots are read, and which parts they are like.

Reads are counted over the completions of the test images; the parts nearest to the slots are sought
among training images. Writes runs/PROFILE/inspection/DATASET/METHOD_memory.safetensors.
"""

import sys
from collections.abc import Sequence

import numpy as np

from mdrnets.data.assignment import read_assignment
from mdrnets.data.dataset import SPLIT_COLUMNS
from mdrnets.data.tables import read_table
from mdrnets.errors import UserError
from mdrnets.evaluation.memory_use import save_memory_use
from mdrnets.execution.command import StageRun, execute, stage_parser
from mdrnets.execution.inspection import load_inspection
from mdrnets.runtime.seeds import derived_seed

SHOWN = 3  # slots of each class, and parts for each slot
SOUGHT = 1000  # training images, at most, among which parts are sought


def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument("dataset", help="a data set of the profile")
    parser.add_argument("method", help="a method of the profile that has a memory")
    options = parser.parse_args(arguments)
    wildcards = {"dataset": options.dataset, "method": options.method}
    return execute("inspect_memory", wildcards, options.profile, _run)


def _run(run: StageRun) -> None:
    dataset, name = run.wildcards["dataset"], run.wildcards["method"]
    inspection = load_inspection(run, dataset, name)
    memory = inspection.method.memory
    if memory is None:
        raise UserError(
            f"{run.config.path}: networks.{name}: it was trained without a memory; leave `memory` "
            "and `guidance` as they are by default (variants of the ablations change them)"
        )
    split = read_table(run.layout.split(dataset), SPLIT_COLUMNS)
    training = np.flatnonzero([row["role"] == "train" for row in split])
    drawn = np.random.default_rng(derived_seed(run.config.protocol.seed, "inspection", dataset))
    use = inspection.memory(
        memory,
        read_assignment(run.layout.assignment(dataset)),
        np.sort(drawn.permutation(training)[:SOUGHT]),
        shown=SHOWN,
    )
    save_memory_use(run.layout.memory_use(dataset, name), use)


if __name__ == "__main__":
    sys.exit(main())
