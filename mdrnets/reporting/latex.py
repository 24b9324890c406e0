"""A table of scores in LaTeX: our row and the paper's row of each method."""

from collections.abc import Sequence

import pandas as pd

from mdrnets.reporting.cells import HERE, PAPER, Table, bin_title, label

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


def latex(
    table: Table, *, title: str, facts: Sequence[tuple[str, str]], legend: str, notes: Sequence[str]
) -> str:
    """One `table*` for each data set, for a document that loads booktabs and graphicx.

    Args:
        table: the cells.
        title: begins each caption.
        facts: (what, text), part of each caption.
        legend: how to read a row, part of each caption.
        notes: part of each caption.
    """
    lines = [r"% The preamble needs \usepackage{booktabs,graphicx}."]
    for name, dataset in table.datasets.items():
        sentences = [
            f"{title}: {dataset.title}, beside the paper's {dataset.stands_for}.",
            legend,
            f"Bold: best {HERE}. First {HERE}: {table.first_places(name)}.",
            *(f"{what}: {text}." for what, text in facts),
            *notes,
        ]
        lines += [
            r"\begin{table*}",
            r"\centering",
            rf"\caption{{{escape(' '.join(sentences))}}}",
            rf"\label{{tab:{name.replace('_', '-')}}}",
            r"\resizebox{\linewidth}{!}{%",
            _tabular(table, name) + "}",
            r"\end{table*}",
        ]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Plain text as LaTeX."""
    return "".join(ESCAPES.get(character, character) for character in text)


def _tabular(table: Table, dataset: str) -> str:
    rows: dict[tuple[str, str], list[str]] = {}
    for method, title in table.methods.items():
        row = table.row(dataset, method)
        texts = [(escape(cell.ours(table.decimals[cell.metric])), cell.best) for cell in row]
        ours = [rf"\textbf{{{text}}}" if best else text for text, best in texts]
        rows[escape(title), escape(label(row))] = ours
        if any(cell.published is not None for cell in row):
            rows[escape(title), PAPER] = [escape(cell.paper()) for cell in row]
    columns = pd.MultiIndex.from_product(
        [
            [escape(metric.title) for metric in table.metrics],
            [escape(bin_title(name)) for name in table.bins],
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
