"""A table of scores as CSV, Markdown and LaTeX."""

from collections.abc import Sequence

from mdrnets.files import write_text
from mdrnets.files.tables import write_rows
from mdrnets.layout import Layout
from mdrnets.reporting.tables.cells import Cell, Table
from mdrnets.reporting.tables.latex import to_latex
from mdrnets.reporting.tables.markdown import to_markdown


def write_score_table(
    layout: Layout,
    name: str,
    table: Table,
    *,
    title: str,
    facts: Sequence[tuple[str, str]],
    legend: str,
    notes: Sequence[str],
) -> None:
    """Write `NAME.csv`, `NAME.md` and `NAME.tex`.

    Args:
        layout: of the profile.
        name: of the files.
        table: the cells.
        title: of the table.
        facts: (what, text), the run behind the numbers.
        legend: how to read a value.
        notes: what to know before comparing the numbers.
    """
    write_rows(layout.report(f"{name}.csv"), Cell, table.cells)
    text = to_markdown(table, title=title, facts=facts, legend=legend, notes=notes)
    write_text(layout.report(f"{name}.md"), text)
    text = to_latex(table, title=title, label=name, facts=facts, legend=legend, notes=notes)
    write_text(layout.report(f"{name}.tex"), text)
