"""A table of scores as data: metrics, cells, and how a cell is printed.

A ± is half the width of the confidence interval, whose ends the CSV form holds.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from itertools import product
from pathlib import Path
from typing import Literal

from mdrnets.config.data import Dataset
from mdrnets.data.tables import write_table
from mdrnets.evaluation.summary import BinSummary, Estimate

HERE, PAPER = "here", "paper"
BLANK = "—"


@dataclass(frozen=True)
class Metric:
    """A group of columns, one for each bin.

    Attributes:
        name: as in files and tables.
        unit: empty where there is none.
        better: which values win.
        decimals: as printed.
        read: finds it in a bin's summary.
        published: what the paper prints in this place; it may be another metric.
    """

    name: str
    unit: str
    better: Literal["lower", "higher"]
    decimals: int
    read: Callable[[BinSummary], Estimate]
    published: str | None = None

    @property
    def title(self) -> str:
        """For example `L1 % ↓`."""
        arrow = "↓" if self.better == "lower" else "↑"
        return " ".join(filter(None, (self.name, self.unit, arrow)))


@dataclass(frozen=True)
class Cell:
    """One value of ours and the published one beside it.

    Attributes:
        dataset: name in the profile.
        published_as: the published data set.
        method: name in the protocol.
        metric: what `value` is.
        bin: hole ratio in %.
        value: ours; None: see `reason`.
        low: end of its interval.
        high: end of its interval.
        n: images that it is computed from.
        published_metric: what `published` is.
        published: the paper's value, for `published_as`.
        best: whether ours is the best of ours in its column, as printed; ties are all best.
        reason: why there is no value.
    """

    dataset: str
    published_as: str
    method: str
    metric: str
    bin: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    published_metric: str | None = None
    published: float | None = None
    best: bool = False
    reason: str | None = None

    def ours(self, decimals: int) -> str:
        """For example `1.131 ± 0.042`."""
        if self.value is None:
            return BLANK
        text = f"{self.value:.{decimals}f}"
        if self.low is None or self.high is None:
            return text
        return f"{text} ± {(self.high - self.low) / 2:.{decimals}f}"

    def paper(self) -> str:
        """The published value, with its metric's name where ours is another metric."""
        if self.published is None:
            return BLANK
        text = f"{self.published:.3f}"  # as many decimals as the paper prints
        return text if self.published_metric == self.metric else f"{self.published_metric} {text}"


CELL_COLUMNS = tuple(field.name for field in fields(Cell))


@dataclass(frozen=True)
class Table:
    """All cells, and the order of everything.

    Attributes:
        metrics: groups of columns.
        bins: columns within each group.
        datasets: one printed table each.
        methods: rows: name → title.
        cells: by data set, method, metric and bin, in this order.
    """

    metrics: tuple[Metric, ...]
    bins: tuple[str, ...]
    datasets: Mapping[str, Dataset]
    methods: Mapping[str, str]
    cells: tuple[Cell, ...]

    @property
    def decimals(self) -> dict[str, int]:
        """By metric."""
        return {metric.name: metric.decimals for metric in self.metrics}

    def row(self, dataset: str, method: str) -> list[Cell]:
        """A method's cells, metric by metric."""
        return [cell for cell in self.cells if (cell.dataset, cell.method) == (dataset, method)]

    def values(self, dataset: str, method: str) -> dict[str, dict[str, float]]:
        """A method's values by metric and bin; what has none is left out."""
        values: dict[str, dict[str, float]] = {}
        for cell in self.row(dataset, method):
            if cell.value is not None:
                values.setdefault(cell.metric, {})[cell.bin] = cell.value
        return values

    def columns(self, dataset: str) -> list[tuple[Metric, list[Cell]]]:
        """The cells of each metric and bin, one a method."""
        cells = [cell for cell in self.cells if cell.dataset == dataset]
        return [
            (metric, [cell for cell in cells if (cell.metric, cell.bin) == (metric.name, name)])
            for metric, name in product(self.metrics, self.bins)
        ]

    def first_places(self, dataset: str) -> str:
        """Ours: for example `MDRNets in 9 of 12 columns, PConv in 3`; ties count for each."""
        return self._counted(
            [{cell.method for cell in column if cell.best} for _, column in self.columns(dataset)]
        )

    def published_first_places(self, dataset: str) -> str:
        """The paper's, in the same form."""
        return self._counted(
            [
                winners(metric, {cell.method: cell.published for cell in column})
                for metric, column in self.columns(dataset)
            ]
        )

    def _counted(self, columns: Sequence[Collection[str]]) -> str:
        counts = Counter(self.methods[method] for column in columns for method in sorted(column))
        if not counts:
            return "fewer than two methods to compare"
        (leader, most), *others = counts.most_common()
        return ", ".join(
            [f"{leader} in {most} of {len(columns)} columns", *(f"{t} in {n}" for t, n in others)]
        )


def winners(metric: Metric, values: Mapping[str, float | None]) -> set[str]:
    """The methods with the best value, where at least two have one.

    Values that are printed alike are equally good.
    """
    printed = {
        method: round(value, metric.decimals)
        for method, value in values.items()
        if value is not None
    }
    if len(printed) < 2:
        return set()
    best = (min if metric.better == "lower" else max)(printed.values())
    return {method for method, value in printed.items() if value == best}


def bin_title(name: str) -> str:
    """`1-20` → `1–20 %`."""
    return f"{name.replace('-', '–')} %"


def first_places(table: Table, dataset: str) -> str:
    """Who is first in how many columns, here and in the paper."""
    text = f"First {HERE}: {table.first_places(dataset)}."
    if all(cell.published is None for cell in table.cells):
        return text
    return f"{text} In the paper: {table.published_first_places(dataset)}."


def row_label(row: Sequence[Cell]) -> str:
    """What stands before our values: `here`, and why some are blank."""
    reasons = dict.fromkeys(cell.reason for cell in row if cell.reason)
    return f"{HERE}: {'; '.join(reasons)}" if reasons else HERE


def mark_best(table: Table) -> Table:
    """Mark the best of ours in each column; see `winners`."""
    best = {
        (cell.dataset, cell.metric, cell.bin, method)
        for dataset in table.datasets
        for metric, column in table.columns(dataset)
        for method in winners(metric, {cell.method: cell.value for cell in column})
        for cell in column
    }
    return replace(
        table,
        cells=tuple(
            replace(cell, best=(cell.dataset, cell.metric, cell.bin, cell.method) in best)
            for cell in table.cells
        ),
    )


def write_cells(path: Path, table: Table) -> None:
    """Write the long form: one cell a row; nothing where there is no value."""
    rows = ([_plain(value) for value in astuple(cell)] for cell in table.cells)
    write_table(path, CELL_COLUMNS, rows)


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    return "" if value is None else value
