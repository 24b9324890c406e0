"""Compare what a method's face parser finds with the label maps of validation images.

The parser gets the complete images and, for each bin, their coarse completions, as in the method.
Writes runs/PROFILE/inspection/DATASET/METHOD_parsing.csv: pixels by class.
"""

import sys

from mdrnets.execution.command import stage_command
from mdrnets.execution.run import StageRun


@stage_command("dataset", "method")
def main(run: StageRun) -> None:
    from mdrnets.evaluation.inspect_method import inspect_parsing
    from mdrnets.evaluation.parsing import ParsedClass
    from mdrnets.files.tables import write_rows

    dataset, method = run.wildcards["dataset"], run.wildcards["method"]
    classes = inspect_parsing(run.config, dataset=dataset, method=method, progress=run.progress)
    write_rows(run.layout.parsing(dataset, method), ParsedClass, classes)


if __name__ == "__main__":
    sys.exit(main())
