"""Compare what a method's parser finds with the label maps of held-out images.

On validation images, complete and coarsely completed in each bin, as the method gives them to its
parser. Writes runs/PROFILE/inspection/DATASET/METHOD_parsing.csv: pixels by class.
"""

import sys
from collections.abc import Sequence

import numpy as np

from mdrnets.data.assignment import by_bin, read_assignment
from mdrnets.data.dataset import SPLIT_COLUMNS, open_array
from mdrnets.data.tables import read_table
from mdrnets.errors import UserError
from mdrnets.evaluation.parsing import COMPLETE, count_classes, write_parsing
from mdrnets.execution.command import StageRun, execute, stage_parser
from mdrnets.execution.inspection import load_inspection


def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument("dataset", help="the data set with label maps that the parser learned from")
    parser.add_argument("method", help="a method of the profile that has a parser")
    options = parser.parse_args(arguments)
    wildcards = {"dataset": options.dataset, "method": options.method}
    return execute("inspect_parsing", wildcards, options.profile, _run)


def _run(run: StageRun) -> None:
    dataset, name = run.wildcards["dataset"], run.wildcards["method"]
    layout = run.layout
    split = read_table(layout.split(dataset), SPLIT_COLUMNS)
    labelled = np.flatnonzero([row["labelled"] == "1" for row in split])
    labels = open_array(
        layout.labels(dataset), dtype="uint8", rows=len(labelled), table=layout.split(dataset)
    )
    row_of = {int(image_row): at for at, image_row in enumerate(labelled)}
    pairs = [
        pair
        for pair in read_assignment(layout.assignment(dataset), role="validation")
        if pair.image_row in row_of
    ]
    if not pairs:
        raise UserError(
            f"{run.config.path}: datasets.{dataset}.split.validation: no validation image has both "
            "a label map and a hole; raise it, or holes.validation"
        )
    bins = by_bin(pairs, run.config.protocol.bins)

    inspection = load_inspection(run, dataset, name)
    images = next(iter(bins.values()))  # the same in all
    truth = labels[[row_of[pair.image_row] for pair in images]]
    classes = count_classes(COMPLETE, truth, inspection.parse(images, complete=True))
    for of_bin, holed in bins.items():
        classes += count_classes(of_bin, truth, inspection.parse(holed, complete=False))
    write_parsing(layout.parsing(dataset, name), classes)


if __name__ == "__main__":
    sys.exit(main())
