"""The comparison of a run with a reference run, cell by cell."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Literal

from mdrnets.errors import UserError
from mdrnets.files.markdown import format_facts, format_table
from mdrnets.files.tables import field_names, read_rows
from mdrnets.reporting.reference.run import Tolerances
from mdrnets.reporting.tables.cells import BLANK, Cell

Verdict = Literal["inside", "outside", "missing", "not comparable", "new"]
ACCEPTED = ("inside", "new")

Key = tuple[str, str, str, str, str]
"""Table, data set, method, metric, bin."""
Value = tuple[float, int | None]
"""The value, and the number of completions that it is computed from."""


@dataclass(frozen=True)
class Comparison:
    """A cell of this run and of the reference run.

    Attributes:
        here, reference: values; None: the cell is blank or missing.
        difference: here − reference.
        tolerance: largest accepted distance of `difference` from 0.
        verdict: `not comparable`: computed from different numbers of completions, since the images
            or the trainings (`seeds`) are others; `new`: only in this run; `missing`: only in the
            reference run.
    """

    table: str
    dataset: str
    method: str
    metric: str
    bin: str
    here: float | None
    reference: float | None
    difference: float | None
    tolerance: float | None
    verdict: Verdict


COLUMNS = tuple(field_names(Comparison))


def compare(
    here: Mapping[Key, Value],
    reference: Mapping[Key, Value],
    tolerances: Tolerances,
    *,
    where: Path,
) -> list[Comparison]:
    """Compare all cells that have a value in one of the two runs.

    Args:
        here: the cells of this run.
        reference: the cells of the reference run.
        tolerances: the accepted differences.
        where: the file with the tolerances, for errors.

    Raises:
        UserError: a metric has no tolerance.
    """
    return [
        _compare(key, here.get(key), reference.get(key), tolerances, where)
        for key in {**reference, **here}
    ]


def _compare(
    key: Key,
    here: Value | None,
    reference: Value | None,
    tolerances: Tolerances,
    where: Path,
) -> Comparison:
    if here is None or reference is None:
        verdict: Verdict = "new" if reference is None else "missing"
        return Comparison(*key, here and here[0], reference and reference[0], None, None, verdict)
    _, _, method, metric, _ = key
    if metric not in tolerances.metrics:
        raise UserError(f"{where}: found no tolerance for {metric}; add one")
    difference = here[0] - reference[0]
    tolerance = tolerances.allowed(method, metric, reference[0])
    inside = abs(difference) <= tolerance
    verdict = "not comparable" if here[1] != reference[1] else "inside" if inside else "outside"
    return Comparison(*key, here[0], reference[0], difference, tolerance, verdict)


def read_cells(paths: Iterable[Path]) -> dict[Key, Value]:
    """Read the values of tables, without blank cells.

    Raises:
        UserError: a table is missing or has another form.
    """
    return list_values({path.stem: read_rows(path, Cell) for path in paths})


def list_values(tables: Mapping[str, Iterable[Cell]]) -> dict[Key, Value]:
    """The values of the cells of tables by their names, without blank cells."""
    return {
        (name, cell.dataset, cell.method, cell.metric, cell.bin): (cell.value, cell.n)
        for name, cells in tables.items()
        for cell in cells
        if cell.value is not None
    }


def count_comparisons(comparisons: Sequence[Comparison]) -> str:
    """For example `166 inside, 2 outside`."""
    counts = Counter(comparison.verdict for comparison in comparisons)
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())


def format_comparisons(comparisons: Iterable[Comparison], form: str) -> str:
    """Format the comparisons as a table of the given form of `tabulate`."""
    rows = [list(format_cells(comparison)) for comparison in comparisons]
    return format_table(COLUMNS, rows, form=form)


def comparison_page(comparisons: Sequence[Comparison], facts: Sequence[tuple[str, str]]) -> str:
    """The page in Markdown, with the cells that are not accepted first."""
    ordered = sorted(comparisons, key=lambda c: c.verdict in ACCEPTED)
    lines = ["# Verification", "", *format_facts(facts)]
    lines += [
        f"- **Cells**: {count_comparisons(comparisons)}",
        "",
        format_comparisons(ordered, "pipe"),
        "",
    ]
    return "\n".join(lines)


def format_cells(comparison: Comparison) -> Iterator[str]:
    """The texts of a row of the table."""
    for value in astuple(comparison):
        if isinstance(value, float):
            yield f"{value:.6g}"
        else:
            yield BLANK if value is None else value
