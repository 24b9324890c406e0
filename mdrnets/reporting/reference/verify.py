"""The comparison of the present run with a reference run of its profile."""

from collections.abc import Sequence
from dataclasses import dataclass

from mdrnets.dag.pipeline import Pipeline
from mdrnets.errors import UserError
from mdrnets.reporting.reference.compare import ACCEPTED, Comparison, compare, read_cells
from mdrnets.reporting.reference.run import REFERENCE, Setting, load_reference
from mdrnets.reporting.reference.save import (
    code_digest,
    list_commits,
    list_settings,
    scored_tables,
)
from mdrnets.tracking.executions import executions


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


def verify(pipeline: Pipeline, name: str) -> Verification:
    """Compare the tables of a finished run with those of a reference run.

    Args:
        pipeline: of the profile.
        name: of the reference run.

    Raises:
        UserError: the reference run is missing, damaged or of another profile, or the run is not
            finished.
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
    tables = scored_tables(pipeline, ran)
    settings = list_settings(ran)
    same_code, same_setting = code_digest(ran) == reference.code, settings == reference.settings
    tolerances = reference.same_setting if same_code and same_setting else reference.other_setting
    comparisons = compare(
        read_cells(path for path in tables if path.name in reference.tables),
        read_cells(folder / table for table in reference.tables),
        tolerances.metrics,
        where=folder / "run.json",
    )
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
    return Verification(comparisons, facts)


def _format_settings(settings: Sequence[Setting]) -> str:
    return "; ".join(
        f"{s.cpu}, {', '.join(s.gpus) or 'no GPU'}, torch {s.torch}, {s.threads} threads"
        for s in settings
    )
