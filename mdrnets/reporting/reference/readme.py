"""The block of README.md that shows a reference run, at the largest holes, beside the paper.

`mdrnets readme` writes it between two comments, from the files in `reports/reference/NAME/`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tabulate import tabulate

from mdrnets.config.load import Config, load_config
from mdrnets.errors import UserError
from mdrnets.files.tables import read_table
from mdrnets.reporting.claims.finding import COLUMN, FAILS, FINDING_COLUMNS, HOLDS, UNTESTED
from mdrnets.reporting.reference.run import REFERENCE, ReferenceRun, load_reference
from mdrnets.reporting.tables.cells import BLANK, CELL_COLUMNS, HERE, PAPER, format_bin
from mdrnets.reporting.tables.metrics import table1_metrics

BLOCK = re.compile(
    r"(?P<head><!-- reference run: (?P<name>\w+) -->\n).*?"
    r"(?P<tail><!-- end of the reference run -->)",
    re.S,
)

Cells = Sequence[Mapping[str, str]]
"""Rows of a table with one row for each cell."""


def with_reference_runs(text: str, where: Path) -> str:
    """Replace every block by the current one.

    Args:
        text: of README.md.
        where: the file, for errors.

    Raises:
        UserError: no block is found, or its reference run does not exist.
    """
    if not BLOCK.search(text):
        raise UserError(
            f"{where}: found no block of a reference run; add the lines "
            "`<!-- reference run: NAME -->` and `<!-- end of the reference run -->`"
        )
    return BLOCK.sub(
        lambda match: match["head"] + format_block(match["name"]) + match["tail"], text
    )


def format_block(name: str) -> str:
    """The block of a reference run in Markdown.

    Raises:
        UserError: the reference run is missing or damaged.
    """
    reference, folder = load_reference(name), REFERENCE / name
    config = load_config(reference.profile)
    parts = [_format_run(reference, folder)]
    cells = read_table(folder / "table1.csv", CELL_COLUMNS)
    largest = config.protocol.largest_bin
    for dataset in config.profile.datasets:
        rows = [c for c in cells if (c["dataset"], c["bin"]) == (dataset, largest)]
        parts.append(_table1(rows, config, dataset, largest))
    for ablation, title in ((n, a.title) for n, a in config.ablations.items()):
        if f"{ablation}.csv" in reference.tables:
            rows = read_table(folder / f"{ablation}.csv", CELL_COLUMNS)
            if all(row["value"] for row in rows):  # otherwise the run lacks some variants
                parts.append(_ablation(rows, config, title, largest))
    if (folder / "claims.csv").is_file():
        parts.append(_claims(folder / "claims.csv"))
    return "\n\n".join(parts) + "\n"


def _format_run(reference: ReferenceRun, folder: Path) -> str:
    cost = reference.cost
    machines = "; ".join(dict.fromkeys(_machine(s.cpu, s.gpus) for s in reference.settings))
    torch = ", ".join(dict.fromkeys(setting.torch for setting in reference.settings))
    pages = sorted(path.name for path in folder.glob("*.md"))
    return (
        f"```bash\n{reference.command}\n```\n\n"
        f"{reference.made}, commit {', '.join(reference.commits)}: {cost.jobs} jobs, "
        f"{cost.elapsed_hours:.1f} hours from the first to the last, pauses included "
        f"({cost.job_hours:.1f} job-hours), on {cost.cores} cores of {machines}; PyTorch "
        f"{torch}. `make verify PROFILE={reference.profile}` runs it again and compares every "
        f"cell. All bins, intervals, curves, configuration and executions: "
        f"[`{folder}/`]({folder}/) "
        f"({', '.join(f'[{page}]({folder}/{page})' for page in pages)})."
    )


def _machine(cpu: str, gpus: Sequence[str]) -> str:
    return ", ".join([cpu, *gpus])


def _table1(rows: Cells, config: Config, dataset: str, largest: str) -> str:
    """One row for each method, with our and the paper's value of each metric."""
    metrics = table1_metrics(config.profile.frechet)
    headers = ["Method"]
    for metric in metrics:
        paper = PAPER if metric.published == metric.name else f"{PAPER}: {metric.published}"
        headers += [f"{metric.title} {HERE}", paper]
    lines = []
    for method, cells in _by_method(rows):
        values = [config.title(method)]
        for metric in metrics:
            cell = cells[metric.name]
            values += [_format_cell(cell), _format_value(cell["published"])]
        lines.append(values)
    images = max((int(row["n"]) for row in rows if row["n"]), default=0)
    title = config.profile.datasets[dataset].title
    return (
        f"**Table 1 on {title}**, {images} test images, holes of {format_bin(largest)}\n\n"
        + _format_rows(headers, lines)
    )


def _ablation(rows: Cells, config: Config, title: str, largest: str) -> str:
    """One row for each variant."""
    metrics = table1_metrics(config.profile.frechet)
    lines = [
        [config.title(variant), *(_format_cell(cells[metric.name]) for metric in metrics)]
        for variant, cells in _by_method([row for row in rows if row["bin"] == largest])
    ]
    data = config.profile.datasets[rows[0]["dataset"]].title
    return (
        f"**{title}** on {data}, holes of {format_bin(largest)} (the paper's numbers are not "
        "available to us)\n\n"
        + _format_rows(["Variant", *(metric.title for metric in metrics)], lines)
    )


def _claims(path: Path) -> str:
    """The number of tests of the paper's claims by verdict."""
    claims = [row for row in read_table(path, FINDING_COLUMNS) if row["kind"] != COLUMN]
    counts = Counter(row["verdict"] for row in claims)
    return (
        f"**Claims**: of {counts.total()} tests of {len({row['claim'] for row in claims})} claims, "
        f"{counts[HOLDS]} hold, {counts[FAILS]} do not hold, and {counts[UNTESTED]} cannot be "
        f"run {HERE} ([which]({path.with_suffix('.md')}))."
    )


def _by_method(rows: Cells) -> Iterator[tuple[str, dict[str, Mapping[str, str]]]]:
    """Yield (method, metric → cell) in the order of the table."""
    for method in dict.fromkeys(row["method"] for row in rows):
        yield method, {row["metric"]: row for row in rows if row["method"] == method}


def _format_cell(cell: Mapping[str, str]) -> str:
    text = _format_value(cell["value"])
    return f"**{text}**" if cell["best"] == "1" else text


def _format_value(text: str) -> str:
    return f"{float(text):.3f}" if text else BLANK


def _format_rows(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    right = ("right",) * (len(headers) - 1)
    text: str = tabulate(
        rows, headers, tablefmt="pipe", disable_numparse=True, colalign=("left", *right)
    )
    return text
