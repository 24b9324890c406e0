"""A table of scores: its metrics and cells, and how a cell is printed.

The number after ± is half the distance between `low` and `high` of the CSV file: the ends of the
confidence interval of one training, or the mean ± the standard deviation of several.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

from mdrnets.config.data import Dataset
from mdrnets.evaluation.summary import BinSummary, Estimate

HERE, PAPER = "here", "paper"
BLANK = "—"


@dataclass(frozen=True)
class Metric:
    """A group of columns, one for each bin.

    Attributes:
        name: in files and tables.
        unit: empty for a metric without one.
        better: whether lower or higher values are better.
        decimals: printed after the decimal point.
        read: gets the value from the summary of a bin.
        published: the metric that the paper prints in this column; None: the paper has none.
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
    """Our value and the published one.

    Attributes:
        dataset: name in the profile.
        published_as: the published data set that it is compared with.
        method: name in the protocol.
        metric: name of the metric of `value`.
        bin: hole ratio in %.
        value: our value; None: see `reason`.
        low: lower end of its interval; of several trainings, mean − standard deviation.
        high: upper end of its interval; of several trainings, mean + standard deviation.
        n: number of completed images that it is computed from, those of all trainings.
        published_metric: name of the metric of `published`.
        published: the paper's value on `published_as`.
        best: whether our value is the best of our values in its column. Values that are printed
            alike are equal, and ties are all best.
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

    def format_value(self, decimals: int) -> str:
        """Our value, for example `1.131 ± 0.042`."""
        if self.value is None:
            return BLANK
        text = f"{self.value:.{decimals}f}"
        if self.low is None or self.high is None:
            return text
        return f"{text} ± {(self.high - self.low) / 2:.{decimals}f}"

    def format_published(self) -> str:
        """The published value, with the name of its metric if it differs from ours."""
        if self.published is None:
            return BLANK
        text = f"{self.published:.3f}"  # as many decimals as the paper prints
        return text if self.published_metric == self.metric else f"{self.published_metric} {text}"


@dataclass(frozen=True)
class Table:
    """All cells, and the order of rows and columns.

    Attributes:
        metrics: groups of columns.
        bins: columns of each group.
        datasets: each is printed as a separate table.
        methods: rows, name → title.
        cells: sorted by data set, method, metric and bin.
    """

    metrics: tuple[Metric, ...]
    bins: tuple[str, ...]
    datasets: Mapping[str, Dataset]
    methods: Mapping[str, str]
    cells: tuple[Cell, ...]

    @property
    def decimals(self) -> dict[str, int]:
        """Decimals by the name of the metric."""
        return {metric.name: metric.decimals for metric in self.metrics}

    @property
    def has_published(self) -> bool:
        """Whether the paper has a value of any cell."""
        return any(cell.published is not None for cell in self.cells)

    def row(self, dataset: str, method: str) -> list[Cell]:
        """The cells of a method, sorted by metric and bin."""
        return [cell for cell in self.cells if (cell.dataset, cell.method) == (dataset, method)]

    def lines(self, dataset: str) -> Iterator[tuple[str, str, list[tuple[str, bool]]]]:
        """What is printed: a line of our values for each method, and one of the paper's if it has.

        Yields:
            The method's title, the line's label, and each text with whether it is bold.
        """
        for method, title in self.methods.items():
            row = self.row(dataset, method)
            texts = [cell.format_value(self.decimals[cell.metric]) for cell in row]
            reasons = dict.fromkeys(cell.reason for cell in row if cell.reason)
            label = f"{HERE}: {'; '.join(reasons)}" if reasons else HERE
            yield title, label, [(text, cell.best) for text, cell in zip(texts, row, strict=True)]
            if any(cell.published is not None for cell in row):
                yield title, PAPER, [(cell.format_published(), False) for cell in row]

    def values(self, dataset: str, method: str) -> dict[str, dict[str, float]]:
        """The values of a method by metric and bin, without blank cells."""
        values: dict[str, dict[str, float]] = {}
        for cell in self.row(dataset, method):
            if cell.value is not None:
                values.setdefault(cell.metric, {})[cell.bin] = cell.value
        return values

    def columns(self, dataset: str) -> list[tuple[Metric, list[Cell]]]:
        """For each metric and bin, its metric and the cells of all methods."""
        cells = [cell for cell in self.cells if cell.dataset == dataset]
        return [
            (metric, [cell for cell in cells if (cell.metric, cell.bin) == (metric.name, name)])
            for metric, name in product(self.metrics, self.bins)
        ]

    def format_first_places(self, dataset: str) -> str:
        """Which methods are best in how many columns, here and in the paper."""
        text = f"First {HERE}: {self.count_first_places(dataset)}."
        if not self.has_published:
            return text
        return f"{text} In the paper: {self.count_first_places(dataset, published=True)}."

    def count_first_places(self, dataset: str, *, published: bool = False) -> str:
        """For example `MDRNets in 9 of 12 columns, PConv in 3`. Ties count for each method."""
        columns = [
            find_winners(metric, {c.method: c.published if published else c.value for c in column})
            for metric, column in self.columns(dataset)
        ]
        counts = Counter(self.methods[method] for column in columns for method in sorted(column))
        if not counts:
            return "fewer than two methods to compare"
        (leader, most), *others = counts.most_common()
        return ", ".join(
            [f"{leader} in {most} of {len(columns)} columns", *(f"{t} in {n}" for t, n in others)]
        )


def find_winners(metric: Metric, values: Mapping[str, float | None]) -> set[str]:
    """The methods with the best value; none if fewer than two methods have a value.

    Values that are printed alike are equal.
    """
    rounded = {
        method: round(value, metric.decimals)
        for method, value in values.items()
        if value is not None
    }
    if len(rounded) < 2:
        return set()
    best = (min if metric.better == "lower" else max)(rounded.values())
    return {method for method, value in rounded.items() if value == best}


def format_bin(name: str) -> str:
    """For example `1-20` → `1–20 %`."""
    return f"{name.replace('-', '–')} %"


def mark_best(table: Table) -> Table:
    """Mark the best of our values in each column; see `find_winners`."""
    best = {
        (cell.dataset, cell.metric, cell.bin, method)
        for dataset in table.datasets
        for metric, column in table.columns(dataset)
        for method in find_winners(metric, {cell.method: cell.value for cell in column})
        for cell in column
    }
    return replace(
        table,
        cells=tuple(
            replace(cell, best=(cell.dataset, cell.metric, cell.bin, cell.method) in best)
            for cell in table.cells
        ),
    )
