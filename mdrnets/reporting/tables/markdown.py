"""A table of scores in Markdown: our row and the paper's row of each method."""

from collections.abc import Sequence

from tabulate import tabulate

from mdrnets.reporting.tables.cells import (
    BLANK,
    HERE,
    PAPER,
    Table,
    bin_title,
    first_places,
    row_label,
)


def markdown(
    table: Table, *, title: str, facts: Sequence[tuple[str, str]], legend: str, notes: Sequence[str]
) -> str:
    """One table for each data set, between what made it and what limits it.

    Args:
        table: the cells.
        title: of the page.
        facts: (what, text) above the tables.
        legend: how to read a row.
        notes: below the tables.
    """
    lines = [f"# {title}", ""]
    lines += [f"- **{what}**: {text}" for what, text in facts]
    lines += ["", f"*{legend} **Bold**: best {HERE}. {BLANK}: no value.*", ""]
    for name, dataset in table.datasets.items():
        lines += [f"## {dataset.title}, beside the paper's {dataset.published_as}", ""]
        lines += [first_places(table, name), ""]
        lines += [_pipes(table, name), ""]
    lines += ["## Notes", "", *(f"- {note}" for note in notes)]
    return "\n".join(lines) + "\n"


def _pipes(table: Table, dataset: str) -> str:
    headers = ["Method", ""]
    for metric in table.metrics:
        first, *others = (bin_title(name) for name in table.bins)
        headers += [f"{metric.title}<br>{first}", *others]
    rows = []
    for method, title in table.methods.items():
        row = table.row(dataset, method)
        texts = [(cell.ours(table.decimals[cell.metric]), cell.best) for cell in row]
        rows.append([title, row_label(row), *(f"**{t}**" if best else t for t, best in texts)])
        if any(cell.published is not None for cell in row):
            rows.append(["", PAPER, *(cell.paper() for cell in row)])
    return tabulate(
        rows,
        headers,
        tablefmt="pipe",
        disable_numparse=True,
        colalign=("left", "left", *("right",) * (len(headers) - 2)),
    )
