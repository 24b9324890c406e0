"""The comparison of the present run, or of a part of it, with a reference run of its profile."""

from collections.abc import Sequence
from dataclasses import dataclass

from mdrnets.dag.pipeline import Pipeline, snakemake_command
from mdrnets.errors import UserError
from mdrnets.evaluation.summary import Summary
from mdrnets.layout import REFERENCE
from mdrnets.reporting.reference.compare import (
    ACCEPTED,
    Comparison,
    Key,
    Value,
    compare,
    list_values,
    read_cells,
)
from mdrnets.reporting.reference.executions import (
    read_executions,
    recorded_code,
    recorded_outputs,
    select_scoring_records,
)
from mdrnets.reporting.reference.run import Setting, load_reference
from mdrnets.reporting.reference.save import (
    check_current,
    list_commits,
    list_settings,
    scored_tables,
)
from mdrnets.reporting.tables.ablation import build_ablation
from mdrnets.reporting.tables.summaries import read_summaries, scored_methods
from mdrnets.reporting.tables.table1 import build_tables
from mdrnets.tracking.executions import Execution, executions


@dataclass(frozen=True)
class Verification:
    """What the comparison found.

    Attributes:
        comparisons: of all cells.
        facts: what was compared, as (what, text).
    """

    comparisons: Sequence[Comparison]
    facts: Sequence[tuple[str, str]]

    @property
    def failed(self) -> list[Comparison]:
        """The cells that are missing or outside the tolerances."""
        return [c for c in self.comparisons if c.verdict not in ACCEPTED]


def verify(pipeline: Pipeline, name: str, *, part: bool = False) -> Verification:
    """Compare the tables of a run with those of a reference run.

    Args:
        pipeline: of the profile.
        name: of the reference run.
        part: compare the rows whose scores are here; no table needs to be rendered.

    Raises:
        UserError: the reference run is missing, damaged or of another profile, or the run is not
            finished; with `part`, no row has scores.
    """
    reference = load_reference(name, pipeline.config.name)
    folder = REFERENCE / name
    if reference.profile != pipeline.config.name:
        raise UserError(
            f"{folder / 'run.json'}: profile: found {reference.profile}, expected "
            f"{pipeline.config.name}; pass --profile {reference.profile}, or the name of a "
            f"reference run of {pipeline.config.name}"
        )
    ran = executions(pipeline)
    expected = read_cells(folder / table for table in reference.tables)
    if part:
        here = _evaluated_cells(pipeline, ran)
        rows = {key[:3] for key in here}
        expected = {key: value for key, value in expected.items() if key[:3] in rows}
    else:
        here = read_cells(scored_tables(pipeline, ran))
    here = {key: value for key, value in here.items() if f"{key[0]}.csv" in reference.tables}
    records, kept = select_scoring_records(ran), read_executions(name)
    same_code = all(r.name in kept and kept[r.name].code == recorded_code(r) for r in records)
    settings = list_settings(ran)
    same_setting = settings == reference.settings
    tolerances = reference.same_setting if same_code and same_setting else reference.other_setting
    files = {file for record in records for file in recorded_outputs(record)}
    kept_files = {file for row in kept.values() for file in row.outputs.split()}
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
        (
            "Files",
            f"{len(files & kept_files)} of the {len(files)} files of trainings, completions and "
            "scores are byte-identical",
        ),
        ("Tolerances", tolerances.reason),
    ]
    comparisons = compare(here, expected, tolerances, where=folder / "run.json")
    return Verification(comparisons, facts)


def _evaluated_cells(pipeline: Pipeline, ran: Sequence[Execution]) -> dict[Key, Value]:
    """The cells of all tables, of the rows whose scores are here.

    Raises:
        UserError: there are none, or they were changed.
    """
    config, layout = pipeline.config, pipeline.layout
    makers = {path: execution for execution in ran for path in execution.job.outputs}
    methods = scored_methods(config)
    summaries: dict[tuple[str, str], Summary] = {}
    for dataset in config.profile.datasets:
        paths = {m: [layout.summary(dataset, t) for t in config.trainings(m)] for m in methods}
        here = {m: paths[m] for m in methods if all(path in makers for path in paths[m])}
        check_current({path: makers[path] for row in here.values() for path in row}, ran)
        summaries |= read_summaries(config, layout, datasets=[dataset], methods=here)
    if not summaries:
        example = layout.summary(config.profile.first_dataset, methods[0])
        raise UserError(
            f"{layout.run}: found no scores; "
            f"`{snakemake_command(config.name, str(example))}` makes those of one method"
        )
    tables = {
        **build_tables(config, summaries),
        **{name: build_ablation(config, name, summaries) for name in config.ablations},
    }
    return list_values({name: table.cells for name, table in tables.items()})


def _format_settings(settings: Sequence[Setting]) -> str:
    return "; ".join(
        f"{s.cpu}, {', '.join(s.gpus) or 'no GPU'}, torch {s.torch}, {s.threads} threads"
        for s in settings
    )
