"""Compare the tables of a finished run with a reference run, cell by cell.

Prints the cells that are missing, or outside the tolerances of reports/reference/NAME/run.json, and
exits with 1 if there are any. Writes all cells to reports/PROFILE/verify.csv and verify.md.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mdrnets.commands.command_line import command_parser

if TYPE_CHECKING:
    from mdrnets.dag.pipeline import Pipeline


def main(arguments: Sequence[str]) -> int:
    parser = command_parser("verify", __doc__)
    parser.add_argument(
        "name", nargs="?", help="name of the reference run (default: that of the profile)"
    )
    parser.add_argument(
        "--part",
        action="store_true",
        help="compare only the methods and data sets that have scores here; no table needs to be "
        "rendered",
    )
    options = parser.parse_args(arguments)

    from mdrnets.config.load import load_config
    from mdrnets.dag.pipeline import Pipeline

    pipeline = Pipeline(load_config(options.profile))
    return _verify(pipeline, options.name or pipeline.config.name, part=options.part)


def _verify(pipeline: "Pipeline", name: str, *, part: bool) -> int:
    from mdrnets.files import write_text
    from mdrnets.files.tables import write_rows
    from mdrnets.layout import REFERENCE
    from mdrnets.reporting.reference.compare import (
        Comparison,
        comparison_page,
        count_comparisons,
        format_comparisons,
    )
    from mdrnets.reporting.reference.verify import verify

    layout = pipeline.layout
    verification = verify(pipeline, name, part=part)
    write_rows(layout.report("verify.csv"), Comparison, verification.comparisons)
    write_text(
        layout.report("verify.md"), comparison_page(verification.comparisons, verification.facts)
    )
    if verification.failed:
        print(format_comparisons(verification.failed, "simple"), end="\n\n")
    counts = count_comparisons(verification.comparisons)
    print(f"{layout.report('verify.md')}: {counts}; tolerances of {REFERENCE / name}")
    return 1 if verification.failed else 0
