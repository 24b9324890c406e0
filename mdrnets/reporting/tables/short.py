"""Table 1 at the largest holes, our values beside the paper's: for README.md and the terminal."""

from pathlib import Path

from mdrnets.config.load import Config
from mdrnets.config.protocol import PARAMS
from mdrnets.errors import UserError
from mdrnets.files.markdown import format_table
from mdrnets.files.tables import read_rows
from mdrnets.reporting.tables.cells import BLANK, HERE, PAPER, Cell, format_bin
from mdrnets.reporting.tables.metrics import table1_metrics


def format_short_table1(
    path: Path, config: Config, dataset: str, *, remedy: str, narrow: bool = False
) -> tuple[str, str]:
    """Table 1 of one data set at the largest holes.

    Args:
        path: of the whole table, a CSV file.
        config: protocol and profile.
        dataset: name in the profile.
        remedy: what to do if the table was made for another configuration.
        narrow: for a terminal: headers of two lines, and no lines between columns.

    Returns:
        A title, and the table; in Markdown unless it is narrow.

    Raises:
        UserError: the table was made for other data sets, holes or metrics.
    """
    largest = config.protocol.largest_bin
    cells = read_rows(path, Cell)
    rows = [cell for cell in cells if (cell.dataset, cell.bin) == (dataset, largest)]
    metrics = table1_metrics(config.profile.frechet)
    if not {metric.name for metric in metrics} <= {cell.metric for cell in rows}:
        raise UserError(
            f"{path}: made for other data sets, holes or metrics than {config.path} and {PARAMS} "
            f"have now; {remedy}"
        )
    headers = ["Method"]
    for metric in metrics:
        paper = PAPER if metric.published == metric.name else f"{PAPER}: {metric.published}"
        headers += [f"{metric.title} {HERE}", paper]
    lines = []
    for method in dict.fromkeys(cell.method for cell in rows):
        by_metric = {cell.metric: cell for cell in rows if cell.method == method}
        values = [config.title(method)]
        for metric in metrics:
            cell = by_metric[metric.name]
            value = _format(cell.value)
            values += [f"**{value}**" if cell.best else value, _format(cell.published)]
        lines.append(values)
    images = max((_count_images(cell, config) for cell in rows), default=0)
    seeds = config.profile.seeds
    title = (
        f"Table 1 on {config.profile.datasets[dataset].title}, {images} test images, holes of "
        f"{format_bin(largest)}, {'one training' if seeds == 1 else f'mean of {seeds} trainings'}"
    )
    if not narrow:
        return title, format_table(headers, lines, labels=1)
    headers = [header.replace(" ", "\n") for header in headers]
    lines = [[value.replace("**", "*", 1).replace("**", "") for value in line] for line in lines]
    return f"{title}; *: best {HERE}", format_table(headers, lines, labels=1, form="simple")


def _count_images(cell: Cell, config: Config) -> int:
    """Each training of a method completes all images, and a cell counts all completions."""
    if cell.n is None or cell.method not in config.protocol.methods:  # of an older reference run
        return 0
    return cell.n // len(config.trainings(cell.method))


def _format(value: float | None) -> str:
    """A number with three decimals; a dash where there is none."""
    return BLANK if value is None else f"{value:.3f}"
