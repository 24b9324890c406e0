"""A new run beside a kept one, cell by cell."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Literal

from tabulate import tabulate

from mdrnets.data.tables import read_table, write_table
from mdrnets.errors import UserError
from mdrnets.reporting.reference.run import Tolerance
from mdrnets.reporting.tables.cells import BLANK, CELL_COLUMNS

Verdict = Literal["inside", "outside", "missing", "other images", "new"]
FINE = ("inside", "new")

Key = tuple[str, str, str, str, str]
"""Table, data set, method, metric, bin."""
Value = tuple[float, int]
"""The value, and the images that it is computed from."""


@dataclass(frozen=True)
class Comparison:
    """A cell of the new run and of the kept one.

    Attributes:
        here, kept: values; None: the cell is blank, or not there.
        difference: here − kept.
        tolerance: how far it may be from 0.
        verdict: `other images` where the two are not of equally many; `new` where nothing was kept.
    """

    table: str
    dataset: str
    method: str
    metric: str
    bin: str
    here: float | None
    kept: float | None
    difference: float | None
    tolerance: float | None
    verdict: Verdict


def compare(
    here: Mapping[Key, Value],
    kept: Mapping[Key, Value],
    tolerances: Mapping[str, Tolerance],
    *,
    where: Path,
) -> list[Comparison]:
    """Every cell that has a value in one of the two.

    Args:
        here: the cells of the new run.
        kept: those of the kept one.
        tolerances: by metric.
        where: the file that they are from.

    Raises:
        UserError: a kept metric without a tolerance.
    """
    return [
        _compare(key, here.get(key), kept.get(key), tolerances, where) for key in {**kept, **here}
    ]


def _compare(
    key: Key,
    here: Value | None,
    kept: Value | None,
    tolerances: Mapping[str, Tolerance],
    where: Path,
) -> Comparison:
    if here is None or kept is None:
        verdict: Verdict = "new" if kept is None else "missing"
        return Comparison(*key, here and here[0], kept and kept[0], None, None, verdict)
    metric = key[3]
    if metric not in tolerances:
        raise UserError(f"{where}: there is no tolerance for {metric}; state one")
    difference = here[0] - kept[0]
    tolerance = tolerances[metric].allowed(kept[0])
    inside = abs(difference) <= tolerance
    verdict = "other images" if here[1] != kept[1] else "inside" if inside else "outside"
    return Comparison(*key, here[0], kept[0], difference, tolerance, verdict)


def read_cells(paths: Iterable[Path]) -> dict[Key, Value]:
    """The values of tables in their long form; blanks are left out.

    Raises:
        UserError: a table that is not there, or is of another form.
    """
    cells = {}
    for path in paths:
        for row in read_table(path, CELL_COLUMNS):
            key = (path.stem, row["dataset"], row["method"], row["metric"], row["bin"])
            if row["value"]:
                try:
                    cells[key] = float(row["value"]), int(row["n"])
                except ValueError as error:
                    raise UserError(f"{path}: {', '.join(key[1:])}: {error}; correct it") from None
    return cells


def select_failed(comparisons: Iterable[Comparison]) -> list[Comparison]:
    """Those that are not fine."""
    return [c for c in comparisons if c.verdict not in FINE]


def count_verdicts(comparisons: Sequence[Comparison]) -> str:
    """For example `166 inside, 2 outside`."""
    counts = Counter(comparison.verdict for comparison in comparisons)
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())


def table(comparisons: Iterable[Comparison], form: str) -> str:
    """Printed, with as many digits as can matter."""
    return tabulate(
        [list(_format(comparison)) for comparison in comparisons],
        headers=_COLUMNS,
        tablefmt=form,
        disable_numparse=True,
        colalign=("left",) * 5 + ("right",) * 4 + ("left",),
    )


def page(comparisons: Sequence[Comparison], facts: Sequence[tuple[str, str]]) -> str:
    """In Markdown: what is not fine first."""
    ordered = sorted(comparisons, key=lambda c: c.verdict in FINE)
    lines = ["# Verification", "", *(f"- **{what}**: {text}" for what, text in facts)]
    lines += [f"- **Cells**: {count_verdicts(comparisons)}", "", table(ordered, "pipe"), ""]
    return "\n".join(lines)


def write_comparisons(path: Path, comparisons: Iterable[Comparison]) -> None:
    """One cell a row; nothing where there is no value."""
    rows = (["" if value is None else value for value in astuple(c)] for c in comparisons)
    write_table(path, _COLUMNS, rows)


_COLUMNS = tuple(field.name for field in fields(Comparison))


def _format(comparison: Comparison) -> Iterator[str]:
    for value in astuple(comparison):
        if isinstance(value, float):
            yield f"{value:.6g}"
        else:
            yield BLANK if value is None else value
