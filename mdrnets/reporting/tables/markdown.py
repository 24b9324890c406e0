"""A table of scores in Markdown: a row of our values and one of the paper's for each method."""

from collections.abc import Sequence

from mdrnets.files.markdown import format_facts, format_table
from mdrnets.reporting.tables.cells import BLANK, HERE, PAPER, Table, format_bin


def to_markdown(
    table: Table, *, title: str, facts: Sequence[tuple[str, str]], legend: str, notes: Sequence[str]
) -> str:
    """A page with a table for each data set.

    Args:
        table: the cells.
        title: of the page.
        facts: (what, text), printed above the tables.
        legend: how to read a value.
        notes: printed below the tables.
    """
    lines = [f"# {title}", ""]
    lines += format_facts(facts)
    lines += ["", f"*{legend} **Bold**: best {HERE}. {BLANK}: no value.*", ""]
    for name, dataset in table.datasets.items():
        lines += [f"## {dataset.title}, beside the paper's {dataset.published_as}", ""]
        lines += [table.format_first_places(name), ""]
        lines += [_format_rows(table, name), ""]
    lines += ["## Notes", "", *(f"- {note}" for note in notes)]
    return "\n".join(lines) + "\n"


def _format_rows(table: Table, dataset: str) -> str:
    headers = ["Method", ""]
    for metric in table.metrics:
        first, *others = (format_bin(name) for name in table.bins)
        headers += [f"{metric.title}<br>{first}", *others]
    rows = [
        ["" if label == PAPER else title, label, *(f"**{t}**" if best else t for t, best in texts)]
        for title, label, texts in table.lines(dataset)
    ]
    return format_table(headers, rows, labels=2)
