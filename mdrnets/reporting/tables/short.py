"""Table 1 at the largest holes, our values beside the paper's: for README.md and the terminal."""

from collections.abc import Iterator, Mapping, Sequence

from mdrnets.config.load import Config
from mdrnets.files.markdown import format_table
from mdrnets.reporting.tables.cells import BLANK, HERE, PAPER, format_bin
from mdrnets.reporting.tables.metrics import table1_metrics

Cells = Sequence[Mapping[str, str]]
"""Rows of a table with one row for each cell, as `read_table` returns them."""


def format_short_table1(
    cells: Cells, config: Config, dataset: str, *, narrow: bool = False
) -> tuple[str, str]:
    """Table 1 of one data set at the largest holes.

    Args:
        cells: of the whole table.
        config: protocol and profile.
        dataset: name in the profile.
        narrow: for a terminal: headers of two lines, and no lines between columns.

    Returns:
        A title, and the table; in Markdown unless it is narrow.
    """
    largest = config.protocol.largest_bin
    rows = [cell for cell in cells if (cell["dataset"], cell["bin"]) == (dataset, largest)]
    metrics = table1_metrics(config.profile.frechet)
    headers = ["Method"]
    for metric in metrics:
        paper = PAPER if metric.published == metric.name else f"{PAPER}: {metric.published}"
        headers += [f"{metric.title} {HERE}", paper]
    lines = []
    for method, by_metric in group_by_method(rows):
        values = [config.title(method)]
        for metric in metrics:
            cell = by_metric[metric.name]
            values += [format_cell(cell), format_value(cell["published"])]
        lines.append(values)
    images = max((int(row["n"]) for row in rows if row["n"]), default=0)
    title = (
        f"Table 1 on {config.profile.datasets[dataset].title}, {images} test images, holes of "
        f"{format_bin(largest)}"
    )
    if not narrow:
        return title, format_table(headers, lines, labels=1)
    headers = [header.replace(" ", "\n") for header in headers]
    lines = [[value.replace("**", "*", 1).replace("**", "") for value in line] for line in lines]
    return f"{title}; *: best {HERE}", format_table(headers, lines, labels=1, form="simple")


def group_by_method(rows: Cells) -> Iterator[tuple[str, dict[str, Mapping[str, str]]]]:
    """Yield (method, metric → cell) in the order of the table."""
    for method in dict.fromkeys(row["method"] for row in rows):
        yield method, {row["metric"]: row for row in rows if row["method"] == method}


def format_cell(cell: Mapping[str, str]) -> str:
    """The value, bold where it is the best of its column."""
    text = format_value(cell["value"])
    return f"**{text}**" if cell["best"] == "1" else text


def format_value(text: str) -> str:
    """A number with three decimals; a dash where there is none."""
    return f"{float(text):.3f}" if text else BLANK
