"""A table of scores in LaTeX: a row of our values and one of the paper's for each method."""

from collections.abc import Sequence

import pandas as pd

from mdrnets.reporting.tables.cells import HERE, Table, format_bin

ESCAPES = {
    "\\": r"\textbackslash{}",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "$": r"\$",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "σ": r"$\sigma$",
    "²": r"\textsuperscript{2}",
    "↓": r"$\downarrow$",
    "↑": r"$\uparrow$",
    "–": "--",
    "—": "---",
    "é": r"\'e",
}


def to_latex(
    table: Table,
    *,
    title: str,
    label: str,
    facts: Sequence[tuple[str, str]],
    legend: str,
    notes: Sequence[str],
) -> str:
    """One `table*` with a tabular for each data set. It needs the packages booktabs and graphicx.

    Args:
        table: the cells.
        title: start of the caption.
        label: of the table, after `tab:`.
        facts: (what, text), printed below the tabulars.
        legend: how to read a value, part of the caption.
        notes: printed below the facts.
    """
    caption = escape(f"{title}, regenerated; {legend} Bold: best {HERE}.")
    lines = [
        r"% The preamble needs \usepackage{booktabs,graphicx}.",
        r"\begin{table*}",
        r"\centering",
        rf"\caption{{{caption}}}",
        rf"\label{{tab:{label}}}",
    ]
    for name, dataset in table.datasets.items():
        heading = f"{dataset.title}, beside the paper's {dataset.published_as}"
        lines += [
            rf"\par\medskip\textbf{{{escape(heading)}}}. {escape(table.format_first_places(name))}",
            r"\par\smallskip\resizebox{\linewidth}{!}{%",
            _tabular(table, name) + "}",
        ]
    below = [*(f"{what}: {text}." for what, text in facts), *notes]
    lines += [
        r"\par\medskip\begin{minipage}{\linewidth}\footnotesize",
        escape(" ".join(below)),
        r"\end{minipage}",
        r"\end{table*}",
    ]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Escape plain text for LaTeX."""
    return "".join(ESCAPES.get(character, character) for character in text)


def _tabular(table: Table, dataset: str) -> str:
    rows = {
        (escape(title), escape(label)): [
            rf"\textbf{{{escape(text)}}}" if best else escape(text) for text, best in texts
        ]
        for title, label, texts in table.lines(dataset)
    }
    columns = pd.MultiIndex.from_product(
        [
            [escape(metric.title) for metric in table.metrics],
            [escape(format_bin(name)) for name in table.bins],
        ]
    )
    frame = pd.DataFrame(
        list(rows.values()), index=pd.MultiIndex.from_tuples(list(rows)), columns=columns
    )
    text: str = frame.style.to_latex(
        hrules=True,
        column_format="ll" + "r" * len(columns),
        multicol_align="c",
        multirow_align="naive",
    )
    return text.rstrip()
