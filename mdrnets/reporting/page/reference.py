"""The comparison with the reference run for the page, cell by cell as `mdrnets verify` makes it."""

from collections.abc import Sequence
from dataclasses import dataclass

from mdrnets.dag.pipeline import Pipeline
from mdrnets.errors import UserError
from mdrnets.layout import REFERENCE
from mdrnets.reporting.captions import caption
from mdrnets.reporting.reference.compare import (
    ACCEPTED,
    COLUMNS,
    Comparison,
    count_comparisons,
    format_cells,
)
from mdrnets.reporting.reference.verify import verify

IN_TITLE = 2
"""The first columns, which the title of a table of cells names."""


@dataclass(frozen=True)
class ReferenceView:
    """What the page says of the reference run.

    Attributes:
        problem: why there is no comparison; empty: there is one.
        counts: how many cells agree with the reference run, in a sentence.
        facts: what was compared, as (what, text).
        columns: of `failed`.
        failed: rows of the cells that are missing or outside the tolerances.
        columns_of_others: of `others`, whose titles name the table and the data set.
        others: title of a table on a data set → rows of its other cells.
    """

    problem: str
    counts: str = ""
    facts: Sequence[tuple[str, str]] = ()
    columns: Sequence[str] = COLUMNS
    failed: Sequence[Sequence[str]] = ()
    columns_of_others: Sequence[str] = COLUMNS[IN_TITLE:]
    others: Sequence[tuple[str, Sequence[Sequence[str]]]] = ()


def read_reference(pipeline: Pipeline) -> ReferenceView:
    """Compare the run with the reference run of its profile's name, if there is one."""
    name = pipeline.config.name
    path = REFERENCE / name / "run.json"
    if not path.is_file():
        return ReferenceView(f"There is no reference run of this profile ({path}).")
    try:
        verification = verify(pipeline, name)
    except UserError as error:
        return ReferenceView(f"The run cannot be compared with {path.parent}: {error}.")
    others: dict[str, list[list[str]]] = {}
    for comparison in verification.comparisons:
        if comparison.verdict in ACCEPTED:
            others.setdefault(_title(comparison, pipeline), []).append(_row(comparison)[IN_TITLE:])
    return ReferenceView(
        problem="",
        counts=_count(verification.comparisons),
        facts=verification.facts,
        failed=[_row(comparison) for comparison in verification.failed],
        others=list(others.items()),
    )


def _count(comparisons: Sequence[Comparison]) -> str:
    inside = sum(comparison.verdict == "inside" for comparison in comparisons)
    text = f"{inside} of {len(comparisons)} cells are inside the tolerances"
    others = count_comparisons([each for each in comparisons if each.verdict != "inside"])
    return f"{text}; the others: {others}." if others else f"{text}."


def _title(comparison: Comparison, pipeline: Pipeline) -> str:
    table = caption(comparison.table, pipeline.config).title
    data = pipeline.config.profile.datasets.get(comparison.dataset)
    return f"{table}, {data.title if data else comparison.dataset}"


def _row(comparison: Comparison) -> list[str]:
    return list(format_cells(comparison))
