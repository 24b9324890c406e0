"""Text tables and lists, by default in Markdown."""

from collections.abc import Sequence

from tabulate import tabulate


def format_table(
    headers: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    labels: int | None = None,
    form: str = "pipe",
) -> str:
    """A table whose texts are printed as they are.

    Args:
        headers: of the columns.
        rows: one text for each column.
        labels: number of columns at the left that are aligned to the left, the others are aligned
            to the right; None: all are aligned to the left.
        form: of `tabulate`.
    """
    left = len(headers) if labels is None else labels
    align = ("left",) * left + ("right",) * (len(headers) - left)
    if form == "pipe":
        headers = [_escape(text) for text in headers]
        rows = [[_escape(c) if isinstance(c, str) else c for c in row] for row in rows]
    text: str = tabulate(rows, headers, tablefmt=form, disable_numparse=True, colalign=align)
    return text


def format_facts(facts: Sequence[tuple[str, str]]) -> list[str]:
    """The lines of a Markdown list of (what, text)."""
    return [f"- **{what}**: {text}" for what, text in facts]


def _escape(text: str) -> str:
    return text.replace("|", "\\|")
