"""Tables of scores for the page: ours, the paper's and their difference in each cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mdrnets.config.load import Config
from mdrnets.files.tables import read_rows
from mdrnets.reporting.claims.formatting import format_signed
from mdrnets.reporting.scale import find_limits
from mdrnets.reporting.tables.cells import (
    BLANK,
    Cell,
    Metric,
    Table,
    format_bin,
)
from mdrnets.reporting.tables.metrics import all_metrics


@dataclass(frozen=True)
class CellView:
    """A cell as the page prints it.

    Attributes:
        here: our value with its interval.
        paper: the published one.
        difference: here − paper.
        judgement: `better` or `worse` than the paper's, `equal`; `differs`: the run is too small
            to be judged by the paper's values; empty: no difference.
        best: whether ours is the best of ours in its column.
        about: the cell in a sentence.
    """

    here: str
    paper: str
    difference: str
    judgement: str
    best: bool
    about: str


@dataclass(frozen=True)
class RowView:
    """A method.

    Attributes:
        method: name in the protocol.
        title: as printed.
        missing: why it has no values; empty: it has.
        published: whether the paper has some.
        cells: metric by metric.
    """

    method: str
    title: str
    missing: str
    published: bool
    cells: Sequence[CellView]


@dataclass(frozen=True)
class TableView:
    """The scores on one data set.

    Attributes:
        dataset: name in the profile.
        title: of the data set.
        published_as: the published one.
        summary: who is first in how many columns.
        metrics: titles of the groups of columns.
        bins: titles of the columns within each group.
        rows: the methods.
        published: whether the paper has values.
        comparable: whether any cell has a difference.
        decides: whether differences are judged, see `find_limits`.
    """

    dataset: str
    title: str
    published_as: str
    summary: str
    metrics: Sequence[str]
    bins: Sequence[str]
    rows: Sequence[RowView]
    decides: bool

    @property
    def published(self) -> bool:
        return any(row.published for row in self.rows)

    @property
    def comparable(self) -> bool:
        return any(cell.judgement for row in self.rows for cell in row.cells)


def read_scores(path: Path, config: Config) -> list[TableView]:
    """A table of cells, one for each data set."""
    table = _table(read_rows(path, Cell), config)
    return [_view_table(table, dataset, config) for dataset in table.datasets]


def _table(cells: Sequence[Cell], config: Config) -> Table:
    metrics = all_metrics(config.profile.frechet)
    return Table(
        metrics=tuple(metrics[name] for name in dict.fromkeys(cell.metric for cell in cells)),
        bins=tuple(dict.fromkeys(cell.bin for cell in cells)),
        datasets={cell.dataset: config.profile.datasets[cell.dataset] for cell in cells},
        methods={cell.method: config.title(cell.method) for cell in cells},
        cells=tuple(cells),
    )


def _view_table(table: Table, dataset: str, config: Config) -> TableView:
    metrics = {metric.name: metric for metric in table.metrics}
    decides = not find_limits(config)
    rows = []
    for method, title in table.methods.items():
        cells = table.row(dataset, method)
        where = f"{title} on {table.datasets[dataset].title}"
        spread = _spread(config, method)
        rows.append(
            RowView(
                method=method,
                title=title,
                missing=_missing(cells),
                published=any(cell.published is not None for cell in cells),
                cells=[
                    _view_cell(cell, metrics[cell.metric], where, spread, decides=decides)
                    for cell in cells
                ],
            )
        )
    entry = table.datasets[dataset]
    return TableView(
        dataset=dataset,
        title=entry.title,
        published_as=entry.published_as,
        summary=table.format_first_places(dataset),
        metrics=[metric.title for metric in table.metrics],
        bins=[format_bin(name) for name in table.bins],
        rows=rows,
        decides=decides,
    )


def _missing(cells: Sequence[Cell]) -> str:
    if any(cell.value is not None for cell in cells):
        return ""
    return "; ".join(dict.fromkeys(cell.reason for cell in cells if cell.reason))


def _spread(config: Config, method: str) -> str:
    """What the ends of an interval are."""
    trainings = len(config.trainings(method))
    return "interval" if trainings == 1 else f"standard deviation of {trainings} trainings"


def _view_cell(cell: Cell, metric: Metric, where: str, spread: str, *, decides: bool) -> CellView:
    difference, judgement = _difference(cell, metric, decides=decides)
    return CellView(
        here=cell.format_value(metric.decimals),
        paper=cell.format_published(),
        difference=difference,
        judgement=judgement,
        best=cell.best,
        about=_about(cell, metric, where, spread),
    )


def _difference(cell: Cell, metric: Metric, *, decides: bool) -> tuple[str, str]:
    """Here − paper, and which is better; values that are printed alike are equally good."""
    comparable = cell.published_metric == cell.metric
    if cell.value is None or cell.published is None or not comparable:
        return BLANK, ""
    difference = round(cell.value, metric.decimals) - cell.published
    text = format_signed(difference, metric.decimals)
    if not decides:
        return text, "differs"
    if round(difference, metric.decimals) == 0:
        return text, "equal"
    return text, "better" if (difference < 0) == (metric.better == "lower") else "worse"


def _about(cell: Cell, metric: Metric, where: str, spread: str) -> str:
    value = cell.format_value(metric.decimals)
    text = f"{where}, holes of {format_bin(cell.bin)}: {metric.name} {value}"
    text += f" {metric.unit}" if metric.unit else ""
    if cell.low is not None and cell.high is not None:
        ends = f"{cell.low:.{metric.decimals}f} to {cell.high:.{metric.decimals}f}"
        text += f", {spread} {ends} over {cell.n} completed images"
    if cell.published is not None:
        text += f". The paper, on {cell.published_as}: {cell.published_metric} {cell.published:.3f}"
    return f"{text}. {metric.better.capitalize()} is better."
