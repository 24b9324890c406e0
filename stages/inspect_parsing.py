"""Compare what a method's face parser finds with the label maps of validation images.

The parser gets the complete images and, for each bin, their coarse completions, as in the method.
Writes runs/PROFILE/inspection/DATASET/METHOD_parsing.csv: pixels by class.
"""

import sys
from collections.abc import Sequence

from mdrnets.execution.command import StageRun, execute, stage_parser


def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument("dataset", help="the data set with label maps that the parser learned from")
    parser.add_argument("method", help="a method of the profile that has a parser")
    options = parser.parse_args(arguments)
    wildcards = {"dataset": options.dataset, "method": options.method}
    return execute("inspect_parsing", wildcards, options.profile, _run)


def _run(run: StageRun) -> None:
    from mdrnets.evaluation.inspect_method import inspect_parsing
    from mdrnets.evaluation.parsing import write_parsing

    dataset, method = run.wildcards["dataset"], run.wildcards["method"]
    classes = inspect_parsing(run.config, dataset=dataset, method=method, progress=run.progress)
    write_parsing(run.layout.parsing(dataset, method), classes)


if __name__ == "__main__":
    sys.exit(main())
