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
        count_verdicts,
        page,
        read_cells,
        select_failed,
        table,
        write_comparisons,
    )
    from mdrnets.reporting.reference.run import REFERENCE, load_reference
    from mdrnets.reporting.reference.save import commits, scored_tables, used_code, used_settings
    from mdrnets.tracking.executions import executions

    kept = load_reference(name)
    folder, layout = REFERENCE / name, pipeline.layout
    if kept.profile != pipeline.config.name:
        raise UserError(
            f"{folder} keeps a run of the profile {kept.profile}; say --profile {kept.profile}, or "
            f"name a run of {pipeline.config.name}"
        )
    ran = executions(pipeline)
    scored_tables(pipeline, ran)
    settings = used_settings(ran)
    same_code, same_setting = used_code(ran) == kept.code, settings == kept.settings
    tolerances = kept.same_setting if same_code and same_setting else kept.other_setting
    comparisons = compare(
        read_cells(layout.report(table) for table in kept.tables),
        read_cells(folder / table for table in kept.tables),
        tolerances.metrics,
        where=folder / "run.json",
    )
    outside = select_failed(comparisons)
    facts = [
        ("Kept run", f"{name}, made {kept.made}; code: {', '.join(kept.commits)}"),
        ("Code here", f"{'the same' if same_code else 'another'}: {', '.join(commits(ran))}"),
        (
            "Setting",
            "the same"
            if same_setting
            else f"another: {_text(settings)}, not {_text(kept.settings)}",
        ),
        ("Tolerances", tolerances.reason),
    ]
    write_comparisons(layout.report("verify.csv"), comparisons)
    write_text(layout.report("verify.md"), page(comparisons, facts))
    if outside:
        print(table(outside, "simple"), end="\n\n")
    print(
        f"{layout.report('verify.md')}: {count_verdicts(comparisons)} of the tolerances of {folder}"
    )
    return 1 if outside else 0


def _text(settings: "Sequence[Setting]") -> str:
    return "; ".join(
        f"{s.cpu}, {', '.join(s.gpus) or 'no GPU'}, torch {s.torch}, {s.threads} threads"
        for s in settings
    )
