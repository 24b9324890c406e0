"""A kept run as README.md shows it: at the largest holes, beside the published numbers.

The block stands between two comments, and is written by `mdrnets/commands/readme.py`; all that it
says is read from `reports/reference/NAME/`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tabulate import tabulate

from mdrnets.config.load import Config, load_config
from mdrnets.data.tables import read_table
from mdrnets.errors import UserError
from mdrnets.reporting.claims.finding import COLUMN, FAILS, FINDING_COLUMNS, HOLDS, UNTESTED
from mdrnets.reporting.reference.run import REFERENCE, ReferenceRun, load_reference
from mdrnets.reporting.tables.cells import BLANK, CELL_COLUMNS, HERE, PAPER, format_bin
from mdrnets.reporting.tables.metrics import table1_metrics

BLOCK = re.compile(
    r"(?P<head><!-- kept run: (?P<name>\w+) -->\n).*?(?P<tail><!-- end of the kept run -->)", re.S
)

Cells = Sequence[Mapping[str, str]]
"""Rows of a table in its long form."""


def with_reference_runs(text: str, where: Path) -> str:
    """The text with every block as the kept runs have it now.

    Args:
        text: of README.md.
        where: the file, for errors.

    Raises:
        UserError: no block, or one of a run that is not kept.
    """
    if not BLOCK.search(text):
        raise UserError(
            f"{where}: there is no block of a kept run; add the lines `<!-- kept run: NAME -->` "
            "and `<!-- end of the kept run -->` where it belongs"
        )
    return BLOCK.sub(lambda found: found["head"] + block(found["name"]) + found["tail"], text)


def block(name: str) -> str:
    """What a kept run says, in Markdown.

    Raises:
        UserError: it is not kept, or damaged.
    """
    kept, folder = load_reference(name), REFERENCE / name
    config = load_config(kept.profile)
    parts = [_made(kept, folder)]
    cells = read_table(folder / "table1.csv", CELL_COLUMNS)
    largest = config.protocol.largest_bin
    for dataset in config.profile.datasets:
        rows = [c for c in cells if (c["dataset"], c["bin"]) == (dataset, largest)]
        parts.append(_table1(rows, config, dataset, largest))
    for ablation, title in ((n, a.title) for n, a in config.ablations.items()):
        if f"{ablation}.csv" in kept.tables:
            rows = read_table(folder / f"{ablation}.csv", CELL_COLUMNS)
            if all(row["value"] for row in rows):  # else the run has not all of its variants
                parts.append(_ablation(rows, config, title, largest))
    if (folder / "claims.csv").is_file():
        parts.append(_claims(folder / "claims.csv"))
    return "\n\n".join(parts) + "\n"


def _made(kept: ReferenceRun, folder: Path) -> str:
    effort = kept.effort
    machines = "; ".join(dict.fromkeys(_machine(s.cpu, s.gpus) for s in kept.settings))
    torch = ", ".join(dict.fromkeys(setting.torch for setting in kept.settings))
    pages = sorted(path.name for path in folder.glob("*.md"))
    return (
        f"```bash\n{kept.command}\n```\n\n"
        f"{kept.made}, commit {', '.join(kept.commits)}: {effort.jobs} jobs, "
        f"{effort.elapsed_hours:.1f} hours from the first to the last, pauses included "
        f"({effort.job_hours:.1f} job-hours), on {effort.cores} cores of {machines}; PyTorch "
        f"{torch}. `make verify PROFILE={kept.profile}` runs it again and compares every cell. All "
        f"bins, intervals, curves, configuration and executions: [`{folder}/`]({folder}/) "
        f"({', '.join(f'[{page}]({folder}/{page})' for page in pages)})."
    )


def _machine(cpu: str, gpus: Sequence[str]) -> str:
    return ", ".join([cpu, *gpus])


def _table1(rows: Cells, config: Config, dataset: str, largest: str) -> str:
    """One method a row; ours and the paper's value of each metric side by side."""
    metrics = table1_metrics(config.profile.frechet)
    headers = ["Method"]
    for metric in metrics:
        paper = PAPER if metric.published == metric.name else f"{PAPER}: {metric.published}"
        headers += [f"{metric.title} {HERE}", paper]
    lines = []
    for method, of_method in _by_method(rows):
        values = [config.title(method)]
        for metric in metrics:
            cell = of_method[metric.name]
            values += [_ours(cell), _value(cell["published"])]
        lines.append(values)
    images = max((int(row["n"]) for row in rows if row["n"]), default=0)
    title = config.profile.datasets[dataset].title
    return (
        f"**Table 1 on {title}**, {images} test images, holes of {format_bin(largest)}\n\n"
        + _pipes(headers, lines)
    )


def _ablation(rows: Cells, config: Config, title: str, largest: str) -> str:
    """One variant a row."""
    metrics = table1_metrics(config.profile.frechet)
    lines = [
        [config.title(variant), *(_ours(of_variant[metric.name]) for metric in metrics)]
        for variant, of_variant in _by_method([row for row in rows if row["bin"] == largest])
    ]
    data = config.profile.datasets[rows[0]["dataset"]].title
    return (
        f"**{title}** on {data}, holes of {format_bin(largest)} (the paper's numbers are not "
        "available to us)\n\n" + _pipes(["Variant", *(metric.title for metric in metrics)], lines)
    )


def _claims(path: Path) -> str:
    """How many tests of the paper's claims came out how."""
    claims = [row for row in read_table(path, FINDING_COLUMNS) if row["kind"] != COLUMN]
    counts = Counter(row["verdict"] for row in claims)
    return (
        f"**Claims**: of {counts.total()} tests of {len({row['claim'] for row in claims})} claims, "
        f"{counts[HOLDS]} hold, {counts[FAILS]} do not hold, and {counts[UNTESTED]} cannot be "
        f"made {HERE} ([which]({path.with_suffix('.md')}))."
    )


def _by_method(rows: Cells) -> Iterator[tuple[str, dict[str, Mapping[str, str]]]]:
    """(method, metric → cell), in the order of the table."""
    for method in dict.fromkeys(row["method"] for row in rows):
        yield method, {row["metric"]: row for row in rows if row["method"] == method}


def _ours(cell: Mapping[str, str]) -> str:
    text = _value(cell["value"])
    return f"**{text}**" if cell["best"] == "1" else text


def _value(text: str) -> str:
    return f"{float(text):.3f}" if text else BLANK


def _pipes(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    right = ("right",) * (len(headers) - 1)
    text: str = tabulate(
        rows, headers, tablefmt="pipe", disable_numparse=True, colalign=("left", *right)
    )
    return text
