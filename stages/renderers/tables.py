"""What the renderers of tables share: reading the scores, writing the three forms."""

from collections.abc import Iterable, Sequence
from itertools import product

from mdrnets.files import write_text
from mdrnets.reporting.cells import Table, write_cells
from mdrnets.reporting.latex import latex
from mdrnets.reporting.markdown import markdown
from mdrnets.reporting.table1 import Summaries, check_summaries
from mdrnets.summary import load_summary
from stages.command import StageRun


def read_summaries(run: StageRun, datasets: Iterable[str], methods: Iterable[str]) -> Summaries:
    paths = {(d, m): run.layout.summary(d, m) for d, m in product(datasets, methods)}
    summaries = {key: load_summary(path) for key, path in paths.items() if path.is_file()}
    for dataset, method in paths:
        if (dataset, method) not in summaries:
            run.say(f"{run.stage}: no scores of {method} on {dataset}; its row stays blank")
    protocol = run.config.protocol
    features = run.config.profile.frechet
    check_summaries(summaries, bins=tuple(protocol.bins), features=features, ssim=protocol.ssim)
    return summaries


def write(
    run: StageRun,
    name: str,
    table: Table,
    *,
    title: str,
    facts: Sequence[tuple[str, str]],
    legend: str,
    notes: Sequence[str],
) -> None:
    """The table as CSV, Markdown and LaTeX."""
    layout = run.layout
    write_cells(layout.report(f"{name}.csv"), table)
    text = markdown(table, title=title, facts=facts, legend=legend, notes=notes)
    write_text(layout.report(f"{name}.md"), text)
    text = latex(table, title=title, label=name, facts=facts, legend=legend, notes=notes)
    write_text(layout.report(f"{name}.tex"), text)
