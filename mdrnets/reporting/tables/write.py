"""A table of scores as CSV, Markdown and LaTeX."""

from collections.abc import Sequence

from mdrnets.config.load import Config
from mdrnets.files import write_text
from mdrnets.files.tables import write_rows
from mdrnets.layout import Layout
from mdrnets.reporting.context import describe_run, describe_values
from mdrnets.reporting.tables.cells import Cell, Table
from mdrnets.reporting.tables.latex import to_latex
from mdrnets.reporting.tables.markdown import to_markdown
from mdrnets.reporting.tables.summaries import Summaries
from mdrnets.tracking.provenance import git_state


def write_score_table(
    config: Config,
    name: str,
    table: Table,
    *,
    title: str,
    summaries: Summaries,
    notes: Sequence[str],
) -> None:
    """Write `NAME.csv`, `NAME.md` and `NAME.tex`.

    Args:
        config: protocol and profile.
        name: of the files.
        table: the cells.
        title: of the table.
        summaries: the scores in it.
        notes: what to know before comparing the numbers.
    """
    layout = Layout(config.name)
    facts = describe_run(config, summaries, git_state(config.name), datasets=table.datasets)
    legend = describe_values(config, published=table.has_published)
    write_rows(layout.report(f"{name}.csv"), Cell, table.cells)
    text = to_markdown(table, title=title, facts=facts, legend=legend, notes=notes)
    write_text(layout.report(f"{name}.md"), text)
    text = to_latex(table, title=title, label=name, facts=facts, legend=legend, notes=notes)
    write_text(layout.report(f"{name}.tex"), text)
