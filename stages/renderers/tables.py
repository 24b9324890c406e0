"""What the renderers of tables share: reading the scores, writing the three forms."""

from collections.abc import Iterable, Sequence
from itertools import product

from mdrnets.evaluation.summary import load_summary, over_trainings
from mdrnets.execution.command import StageRun
from mdrnets.files import write_text
from mdrnets.reporting.tables.cells import Table, write_cells
from mdrnets.reporting.tables.latex import latex
from mdrnets.reporting.tables.markdown import markdown
from mdrnets.reporting.tables.table1 import Summaries, check_summaries


def read_summaries(run: StageRun, datasets: Iterable[str], methods: Iterable[str]) -> Summaries:
    """Of all trainings of each method together; a row with a missing one stays blank."""
    protocol, features = run.config.protocol, run.config.profile.frechet
    rows = {(d, m): run.config.trainings(m) for d, m in product(datasets, methods)}
    paths = {(d, name): run.layout.summary(d, name) for (d, _), t in rows.items() for name in t}
    found = {key: load_summary(path) for key, path in paths.items() if path.is_file()}
    for dataset, name in paths:
        if (dataset, name) not in found:
            run.say(f"{run.stage}: no scores of {name} on {dataset}; its row stays blank")
    check_summaries(found, bins=tuple(protocol.bins), features=features, ssim=protocol.ssim)
    return {
        (dataset, method): over_trainings([found[dataset, name] for name in trainings])
        for (dataset, method), trainings in rows.items()
        if all((dataset, name) in found for name in trainings)
    }


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
