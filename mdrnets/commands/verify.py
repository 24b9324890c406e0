"""Compare the tables of the run that is here with a kept run, cell by cell.

Prints the cells that are outside the tolerances of reports/reference/NAME/run.json, or missing,
and exits 1 if there are any; writes all cells to reports/PROFILE/verify.csv and verify.md. With
--keep: keeps the run that is here as NAME instead, its numbers alone.
"""

import sys
from collections.abc import Sequence

from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.errors import UserError
from mdrnets.execution.command import handle_user_errors, stage_parser
from mdrnets.files import write_text
from mdrnets.reporting.reference.compare import (
    compare,
    digest,
    page,
    read_cells,
    table,
    worst,
    write_comparisons,
)
from mdrnets.reporting.reference.run import REFERENCE, Setting, load_kept
from mdrnets.reporting.reference.save import commits, keep, scored_tables, used_code, used_settings
from mdrnets.tracking.executions import executions


@handle_user_errors
def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument("name", nargs="?", help="of the kept run; by default the profile's")
    parser.add_argument("--keep", action="store_true", help="keep the run that is here")
    options = parser.parse_args(arguments)
    pipeline = Pipeline(load_config(options.profile))
    name = options.name or pipeline.config.name
    if options.keep:
        kept = keep(pipeline, name)
        print(f"{REFERENCE / name}: kept {', '.join(kept.tables)}")
        return 0
    return _verify(pipeline, name)


def _verify(pipeline: Pipeline, name: str) -> int:
    kept = load_kept(name)
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
    outside = worst(comparisons)
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
    print(f"{layout.report('verify.md')}: {digest(comparisons)} of the tolerances of {folder}")
    return 1 if outside else 0


def _text(settings: Sequence[Setting]) -> str:
    return "; ".join(
        f"{s.cpu}, {', '.join(s.gpus) or 'no GPU'}, torch {s.torch}, {s.threads} threads"
        for s in settings
    )


if __name__ == "__main__":
    sys.exit(main())
