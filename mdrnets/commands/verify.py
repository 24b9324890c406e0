"""Compare the tables of a finished run with a reference run, cell by cell.

Prints the cells that are missing, or outside the tolerances of reports/reference/NAME/run.json, and
exits with 1 if there are any. Writes all cells to reports/PROFILE/verify.csv and verify.md.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mdrnets.commands.command_line import command_parser
from mdrnets.errors import UserError

if TYPE_CHECKING:
    from mdrnets.dag.pipeline import Pipeline
    from mdrnets.reporting.reference.run import Setting


def main(arguments: Sequence[str]) -> int:
    parser = command_parser("verify", __doc__)
    parser.add_argument("name", nargs="?", help="of the reference run; by default the profile's")
    options = parser.parse_args(arguments)

    from mdrnets.config.load import load_config
    from mdrnets.dag.pipeline import Pipeline

    pipeline = Pipeline(load_config(options.profile))
    return _verify(pipeline, options.name or pipeline.config.name)


def _verify(pipeline: "Pipeline", name: str) -> int:
    from mdrnets.files import write_text
    from mdrnets.reporting.reference.compare import (
        compare,
        comparison_page,
        count_verdicts,
        format_comparisons,
        read_cells,
        select_failed,
        write_comparisons,
    )
    from mdrnets.reporting.reference.run import REFERENCE, load_reference
    from mdrnets.reporting.reference.save import (
        code_digest,
        list_commits,
        list_settings,
        scored_tables,
    )
    from mdrnets.tracking.executions import executions

    reference = load_reference(name, pipeline.config.name)
    folder, layout = REFERENCE / name, pipeline.layout
    if reference.profile != pipeline.config.name:
        raise UserError(
            f"{folder / 'run.json'}: profile: found {reference.profile}, expected "
            f"{pipeline.config.name}; pass --profile {reference.profile}, or the name of a "
            f"reference run of {pipeline.config.name}"
        )
    ran = executions(pipeline)
    scored_tables(pipeline, ran)
    settings = list_settings(ran)
    same_code, same_setting = code_digest(ran) == reference.code, settings == reference.settings
    tolerances = reference.same_setting if same_code and same_setting else reference.other_setting
    comparisons = compare(
        read_cells(layout.report(table) for table in reference.tables),
        read_cells(folder / table for table in reference.tables),
        tolerances.metrics,
        where=folder / "run.json",
    )
    outside = select_failed(comparisons)
    facts = [
        ("Reference run", f"{name}, made {reference.made}; code: {', '.join(reference.commits)}"),
        ("Code here", f"{'the same' if same_code else 'another'}: {', '.join(list_commits(ran))}"),
        (
            "Setting",
            "the same"
            if same_setting
            else f"another: {_format_settings(settings)}, "
            f"not {_format_settings(reference.settings)}",
        ),
        ("Tolerances", tolerances.reason),
    ]
    write_comparisons(layout.report("verify.csv"), comparisons)
    write_text(layout.report("verify.md"), comparison_page(comparisons, facts))
    if outside:
        print(format_comparisons(outside, "simple"), end="\n\n")
    print(f"{layout.report('verify.md')}: {count_verdicts(comparisons)}; tolerances of {folder}")
    return 1 if outside else 0


def _format_settings(settings: "Sequence[Setting]") -> str:
    return "; ".join(
        f"{s.cpu}, {', '.join(s.gpus) or 'no GPU'}, torch {s.torch}, {s.threads} threads"
        for s in settings
    )
