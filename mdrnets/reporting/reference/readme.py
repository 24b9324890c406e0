"""The block of README.md that shows a reference run beside the paper: a short table with links.

`mdrnets readme` writes it between two comments, from the files in `reports/reference/NAME/`.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mdrnets.config.load import load_config
from mdrnets.files.tables import read_rows
from mdrnets.layout import REFERENCE
from mdrnets.reporting.blocks import replace_blocks
from mdrnets.reporting.claims.finding import COLUMN, VERDICTS, Finding
from mdrnets.reporting.context import FEATURES
from mdrnets.reporting.reference.run import ReferenceRun, load_reference
from mdrnets.reporting.tables.cells import HERE
from mdrnets.reporting.tables.short import format_short_table1


def with_reference_runs(text: str, where: Path) -> str:
    """Replace every block by the current one.

    Args:
        text: of README.md.
        where: the file, for errors.

    Raises:
        UserError: no block is found, or its reference run does not exist.
    """
    return replace_blocks(text, "reference run", format_block, where=where)


def format_block(name: str) -> str:
    """The block of a reference run in Markdown.

    Raises:
        UserError: the reference run is missing or damaged.
    """
    reference, folder = load_reference(name, name), REFERENCE / name
    config = load_config(reference.profile)
    parts = [_format_run(reference, folder)]
    first, *others = config.profile.datasets
    remedy = "restore that configuration, or keep a run of today's"
    title, table = format_short_table1(folder / "table1.csv", config, first, remedy=remedy)
    parts += [f"**{title}**\n\n{table}", FEATURES[config.profile.frechet]]
    if others:
        titles = ", ".join(config.profile.datasets[name].title for name in others)
        parts.append(f"{titles}, and all other holes: [table1.md]({folder}/table1.md).")
    if (folder / "claims.csv").is_file():
        parts.append(_claims(folder / "claims.csv"))
    return "\n\n".join(parts) + "\n"


def _format_run(reference: ReferenceRun, folder: Path) -> str:
    cost = reference.cost
    machines = "; ".join(dict.fromkeys(_machine(s.cpu, s.gpus) for s in reference.settings))
    *others, last = reference.commits
    commits = f"commits {', '.join(others)} and {last}" if others else f"commit {last}"
    torch = ", ".join(dict.fromkeys(setting.torch for setting in reference.settings))
    return (
        f"```bash\n{reference.command}\n```\n\n"
        f"{reference.made}, {commits}: {cost.jobs} jobs, "
        f"{cost.job_hours:.1f} job-hours on {cost.cores} cores of {machines}, PyTorch {torch}. All "
        f"tables, curves, the configuration and the list of jobs are in [`{folder}/`]({folder}/). "
        f"`make verify PROFILE={reference.profile}` runs it again and compares every cell."
    )


def _machine(cpu: str, gpus: Sequence[str]) -> str:
    return ", ".join([cpu, *gpus])


def _claims(path: Path) -> str:
    """The number of tests of the paper's claims by verdict."""
    findings = [finding for finding in read_rows(path, Finding) if finding.kind != COLUMN]
    counts = Counter(finding.verdict for finding in findings)
    claims = {finding.claim for finding in findings}
    alone = ", after one training" if max(f.trainings or 1 for f in findings) == 1 else ""
    return (
        f"**Claims**: of {counts.total()} tests of {len(claims)} claims, "
        f"{', '.join(f'{counts[verdict]} are {verdict}' for verdict in VERDICTS)} {HERE}{alone} "
        f"([which]({path.with_suffix('.md')}))."
    )
