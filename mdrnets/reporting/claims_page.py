"""The tested claims as a table of data and as a page: verdicts first, then the numbers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, fields
from pathlib import Path

from tabulate import tabulate

from mdrnets.config import Config
from mdrnets.data.tables import write_table
from mdrnets.reporting.cells import BLANK, HERE, PAPER, bin_title
from mdrnets.reporting.claims import (
    BEST,
    COLUMN,
    DECIMALS,
    FAILS,
    FIRST,
    GROWS,
    HOLDS,
    LARGE,
    LATER,
    LEVEL,
    SMALL,
    UNTESTED,
    Finding,
)
from mdrnets.reporting.context import FEATURES
from mdrnets.reporting.table1 import table1_metrics

NOTES = (
    "The best other method is the one with the best mean in that column; it need not be the "
    "paper's.",
    "All scores are paired: the same image with the same hole. L1, PSNR, SSIM: bootstrap interval "
    "of the mean difference, Wilcoxon signed-rank test; pairs with an infinite PSNR are left out. "
    "Fréchet distance: delete-half jackknife interval, and a permutation test that swaps the "
    "methods' labels image by image; for the growth of a lead the normal approximation of the "
    "jackknife.",
    "p is two-sided and adjusted by Holm's method, over all columns of Table 1, and over all leads "
    "that are compared.",
    "A lead is an absolute difference: where errors grow with the hole, leads grow with them.",
)


def write_findings(path: Path, findings: Sequence[Finding]) -> None:
    """Write one finding a row; nothing where there is no value."""
    rows = (["" if value is None else value for value in astuple(f)] for f in findings)
    write_table(path, [field.name for field in fields(Finding)], rows)


def claims_page(
    findings: Sequence[Finding], config: Config, *, facts: Sequence[tuple[str, str]]
) -> str:
    """The page in Markdown.

    Args:
        findings: claims and other columns.
        config: for titles.
        facts: (what, text): what made the numbers.
    """
    by_kind = {
        kind: [finding for finding in findings if finding.kind == kind]
        for kind in (BEST, FIRST, GROWS, LATER, COLUMN)
    }
    counts = Counter(finding.verdict for finding in findings if finding.kind != COLUMN)
    data = "; ".join(dataset.title for dataset in config.profile.datasets.values())
    return "\n".join(
        [
            "# The paper's claims, tested",
            "",
            f"**Of {counts.total()} claims, {counts[HOLDS]} hold, {counts[FAILS]} do not hold, and "
            f"{counts[UNTESTED]} cannot be tested {HERE}.** Profile {config.name}: {data}.",
            "",
            f"*Holds: the claimed sign, and adjusted p < {LEVEL}. Brackets: "
            f"{100 * config.protocol.bootstrap.confidence:.0f} % interval. Intervals and tests are "
            "over the images of one training: they do not say how another training would end. "
            "Published numbers are judged by their sign alone.*",
            "",
            f"## MDRNets is better than the best other method at {bin_title(LARGE)}",
            "",
            _columns(by_kind[BEST], config),
            "",
            f"## MDRNets is {by_kind[FIRST][0].claim}",
            "",
            *(f"**{finding.verdict}**: {finding.reason}." for finding in by_kind[FIRST]),
            "",
            f"## Especially under large holes: {by_kind[GROWS][0].claim}",
            "",
            _growth(findings, config),
            "",
            "## Ablations, and whole classes in the hole",
            "",
            *(f"- **{f.verdict}**: {f.claim}: {f.reason}." for f in by_kind[LATER]),
            "",
            "## The other columns of Table 1",
            "",
            "Nothing is claimed of each of them apart, but of their number.",
            "",
            _columns(by_kind[COLUMN], config),
            "",
            "## What made the numbers",
            "",
            *(f"- **{what}**: {text}" for what, text in facts),
            "",
            "## Notes",
            "",
            f"- All methods were trained anew {HERE}, with the steps above; the paper took its "
            "baselines from released models or code. Where data, image size or steps are not the "
            "paper's, a verdict is about this run.",
            f"- {FEATURES[config.profile.frechet]}",
            *(f"- {note}" for note in NOTES),
            "",
        ]
    )


def _columns(findings: Sequence[Finding], config: Config) -> str:
    """MDRNets against the best other method, one column of Table 1 a row."""
    return _pipes(
        ["verdict", "data", "metric", "hole", f"difference {HERE}", "from", "adjusted p", PAPER],
        [
            [
                _verdict(f),
                _data(f, config),
                _metric(f, config),
                bin_title(str(f.bin)),
                _difference(f),
                _title(f.other, config),
                _p(f.adjusted),
                _paper(f, config),
            ]
            for f in findings
        ],
    )


def _growth(findings: Sequence[Finding], config: Config) -> str:
    """The leads at small and at large holes, and their difference."""
    columns = {(f.dataset, f.metric, f.bin): f for f in findings if f.kind in (BEST, COLUMN)}
    rows = []
    for f in findings:
        if f.kind != GROWS:
            continue
        pair = [columns.get((f.dataset, f.metric, bin_)) for bin_ in (SMALL, LARGE)]
        rows.append(
            [
                _verdict(f),
                _data(f, config),
                _metric(f, config),
                " → ".join(_signed(c.here if c else None) for c in pair),
                _difference(f),
                _p(f.adjusted),
                _named(" → ".join(_signed(c.published if c else None) for c in pair), f),
                f.published_verdict or BLANK,
            ]
        )
    return _pipes(
        [
            "verdict",
            "data",
            "metric",
            f"difference {HERE}",
            "growth of the lead",
            "adjusted p",
            f"difference in the {PAPER}",
            f"{PAPER}: verdict",
        ],
        rows,
    )


def _pipes(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    text: str = tabulate(rows, headers, tablefmt="pipe", disable_numparse=True)
    return text


def _verdict(finding: Finding) -> str:
    if finding.verdict == HOLDS or not finding.reason:
        return f"**{finding.verdict}**"
    return f"{finding.verdict}: {finding.reason}"


def _data(finding: Finding, config: Config) -> str:
    title = config.profile.datasets[str(finding.dataset)].title
    return title if title.startswith(str(finding.stands_for)) else f"{title} ({finding.stands_for})"


def _metric(finding: Finding, config: Config) -> str:
    """With its unit and direction."""
    titles = {metric.name: metric.title for metric in table1_metrics(config.profile.frechet)}
    return titles[str(finding.metric)]


def _difference(finding: Finding) -> str:
    if finding.here is None:
        return BLANK
    low, high = _signed(finding.low), _signed(finding.high)
    return f"{_signed(finding.here)} [{low}, {high}]"


def _paper(finding: Finding, config: Config) -> str:
    """The published difference, to which method, and whether its sign is the claimed one."""
    if finding.published is None:
        return BLANK
    text = _named(_signed(finding.published), finding)
    return f"{text} from {_title(finding.published_other, config)}: {finding.published_verdict}"


def _named(text: str, finding: Finding) -> str:
    """With the metric's name where ours is another one."""
    same = finding.published_metric == finding.metric
    return text if same else f"{finding.published_metric} {text}"


def _signed(value: float | None) -> str:
    return BLANK if value is None else f"{value:+.{DECIMALS}f}".replace("-", "−")


def _p(value: float | None) -> str:
    if value is None:
        return BLANK
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _title(method: str | None, config: Config) -> str:
    if method is None:
        return BLANK
    methods = config.protocol.methods
    return methods[method].title if method in methods else method
