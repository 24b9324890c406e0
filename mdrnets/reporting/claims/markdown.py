"""The tested claims as a table of data and as a page: verdicts first, then the numbers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path

from tabulate import tabulate

from mdrnets.config.load import Config
from mdrnets.data.tables import write_table
from mdrnets.reporting.claims.finding import (
    BEST,
    CLASS,
    COLUMN,
    FAILS,
    FINDING_COLUMNS,
    FIRST,
    GROWS,
    HOLDS,
    LEVEL,
    ORDER,
    UNTESTED,
    Finding,
    combine_verdicts,
    group_by_claim,
)
from mdrnets.reporting.claims.table1 import DECIMALS, LARGE, SMALL
from mdrnets.reporting.context import FEATURES, UNPUBLISHED
from mdrnets.reporting.tables.cells import BLANK, HERE, PAPER, format_bin
from mdrnets.reporting.tables.metrics import extended_metrics, table1_metrics

NOTES = (
    "The best other method is the one with the best mean in that column; it need not be the "
    "paper's.",
    "All scores are paired: the same image with the same hole. L1, PSNR, SSIM: bootstrap interval "
    "of the mean difference, Wilcoxon signed-rank test; pairs with an infinite PSNR are left out. "
    "Fréchet distance: delete-half jackknife interval, and a permutation test that swaps the "
    "methods' labels image by image; for the growth of a lead the normal approximation of the "
    "jackknife.",
    "p is two-sided and adjusted by Holm's method, in four families: all columns of Table 1, all "
    "leads that are compared, all comparisons of ablations, all classes.",
    "A lead is an absolute difference: where errors grow with the hole, leads grow with them.",
)
SOURCES = {
    "annotated": "the annotations of the images",
    "parsed": "the face parser's maps of the ground truth, where images have no annotation",
}
"""What tells the class of a pixel."""


def write_findings(path: Path, findings: Sequence[Finding]) -> None:
    """Write one finding a row; nothing where there is no value."""
    rows = (["" if value is None else value for value in astuple(f)] for f in findings)
    write_table(path, FINDING_COLUMNS, rows)


def format_claims(
    findings: Sequence[Finding], config: Config, *, facts: Sequence[tuple[str, str]]
) -> str:
    """The page in Markdown.

    Args:
        findings: claims and other columns.
        config: for titles.
        facts: (what, text): what made the numbers.
    """
    claims = group_by_claim([finding for finding in findings if finding.kind != COLUMN])
    columns = [finding for finding in findings if finding.kind == COLUMN]
    counts = Counter(finding.verdict for tests in claims.values() for finding in tests)
    data = "; ".join(dataset.title for dataset in config.profile.datasets.values())
    confidence = 100 * config.protocol.bootstrap.confidence
    sections = {
        BEST: lambda tests: _columns(tests, config),
        FIRST: lambda tests: f"**{tests[0].verdict}**: {tests[0].reason}.",
        GROWS: lambda tests: _growth(tests, findings, config),
        ORDER: lambda tests: _ablation(tests, config),
        CLASS: lambda tests: _classes(tests, config),
    }
    return "\n".join(
        [
            "# The paper's claims, tested",
            "",
            f"**Of {counts.total()} tests of {len(claims)} claims, {counts[HOLDS]} hold, "
            f"{counts[FAILS]} do not hold, and {counts[UNTESTED]} cannot be made {HERE}.** "
            f"Profile {config.name}: {data}.",
            "",
            _verdicts(claims),
            "",
            f"*Holds: the claimed sign, and adjusted p < {LEVEL}. Brackets: {confidence:.0f} % "
            f"interval. {_trainings(config)} Published numbers are judged by their sign alone.*",
            "",
            *(
                line
                for claim, tests in claims.items()
                for line in (f"## {_sentence(claim)}", "", sections[tests[0].kind](tests), "")
            ),
            "## The other columns of Table 1",
            "",
            "Nothing is claimed of each of them apart, but of their number.",
            "",
            _columns(columns, config),
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


def _verdicts(claims: Mapping[str, Sequence[Finding]]) -> str:
    """One row a claim."""
    rows = []
    for claim, tests in claims.items():
        counts = Counter(finding.verdict for finding in tests)
        numbers = [str(counts[verdict]) for verdict in (HOLDS, FAILS, UNTESTED)]
        rows.append([f"**{combine_verdicts(tests)}**", _sentence(claim), *numbers])
    return _pipes(["verdict", "claim", HOLDS, FAILS, UNTESTED], rows)


def _sentence(claim: str) -> str:
    return claim[0].upper() + claim[1:]


def _trainings(config: Config) -> str:
    """What the intervals are over."""
    if config.profile.seeds == 1:
        return (
            "Intervals and tests are over the images of one training: they do not say how another "
            "training would end."
        )
    return (
        f"Scores are averaged over {config.profile.seeds} trainings of each method; intervals and "
        "tests are over the images. Beside them stand the least and the most difference of single "
        "trainings, which must have the same sign."
    )


def _columns(findings: Sequence[Finding], config: Config) -> str:
    """MDRNets against the best other method, one column of Table 1 a row."""
    return _pipes(
        ["verdict", "data", "metric", "hole", f"difference {HERE}", "from", "adjusted p", PAPER],
        [
            [
                _verdict(f),
                _data(f, config),
                metric_title(str(f.metric), config),
                format_bin(str(f.bin)),
                _difference(f),
                method_title(f.other, config),
                _p(f.adjusted),
                _paper(f, config),
            ]
            for f in findings
        ],
    )


def _growth(tests: Sequence[Finding], findings: Sequence[Finding], config: Config) -> str:
    """The leads at small and at large holes, and their difference."""
    columns = {(f.dataset, f.metric, f.bin): f for f in findings if f.kind in (BEST, COLUMN)}
    rows = []
    for f in tests:
        pair = [columns.get((f.dataset, f.metric, bin_)) for bin_ in (SMALL, LARGE)]
        rows.append(
            [
                _verdict(f),
                _data(f, config),
                metric_title(str(f.metric), config),
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


def _ablation(tests: Sequence[Finding], config: Config) -> str:
    """One variant against another, one column of the ablation's table a row."""
    if tests[0].metric is None:
        return f"**{tests[0].verdict}**: {tests[0].reason}."
    table = _pipes(
        ["verdict", "metric", "hole", f"difference {HERE}", "adjusted p"],
        [
            [
                _verdict(f),
                metric_title(str(f.metric), config),
                format_bin(str(f.bin)),
                _difference(f),
                _p(f.adjusted),
            ]
            for f in tests
        ],
    )
    return f"On {_data(tests[0], config)}. {UNPUBLISHED}\n\n{table}"


def _classes(tests: Sequence[Finding], config: Config) -> str:
    """One class in one metric a row; those that cannot be tested in a sentence."""
    if tests[0].metric is None:
        return f"**{tests[0].verdict}**: {tests[0].reason}."
    found = " ".join(f.source or "" for f in tests)
    sources = " and ".join(text for source, text in SOURCES.items() if source in found)
    lines = [
        f"On {_data(tests[0], config)}, over all pairs of an image and a hole that covers the "
        f"class entirely, and over the pixels of the class. The classes are from "
        f"{sources or 'no image'}. {UNPUBLISHED}",
    ]
    rows = [
        [
            _verdict(f),
            str(f.label),
            metric_title(str(f.metric), config),
            str(f.n),
            _difference(f),
            _p(f.adjusted),
        ]
        for f in tests
        if f.verdict != UNTESTED
    ]
    if rows:
        headers = ["verdict", "class", "metric", "pairs", f"difference {HERE}", "adjusted p"]
        lines += ["", _pipes(headers, rows)]
    for reason in dict.fromkeys(f.reason for f in tests if f.verdict == UNTESTED):
        untested = dict.fromkeys(f"{f.label} ({f.n})" for f in tests if f.reason == reason)
        lines += ["", f"**{UNTESTED}**, {reason}: {', '.join(untested)}."]
    return "\n".join(lines)


def _pipes(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    text: str = tabulate(rows, headers, tablefmt="pipe", disable_numparse=True)
    return text


def _verdict(finding: Finding) -> str:
    if finding.verdict == HOLDS or not finding.reason:
        return f"**{finding.verdict}**"
    return f"{finding.verdict}: {finding.reason}"


def _data(finding: Finding, config: Config) -> str:
    title = config.profile.datasets[str(finding.dataset)].title
    return (
        title
        if title.startswith(str(finding.published_as))
        else f"{title} ({finding.published_as})"
    )


def metric_title(metric: str, config: Config) -> str:
    """With its unit and direction."""
    features = config.profile.frechet
    metrics = (*table1_metrics(features), *extended_metrics(features))
    return next(known.title for known in metrics if known.name == metric)


def _difference(finding: Finding) -> str:
    if finding.here is None:
        return BLANK
    low, high = _signed(finding.low), _signed(finding.high)
    text = f"{_signed(finding.here)} [{low}, {high}]"
    if finding.least is None:
        return text
    return f"{text}; in each training {_signed(finding.least)} to {_signed(finding.most)}"


def _paper(finding: Finding, config: Config) -> str:
    """The published difference, to which method, and whether its sign is the claimed one."""
    if finding.published is None:
        return BLANK
    text = _named(_signed(finding.published), finding)
    return (
        f"{text} from {method_title(finding.published_other, config)}: {finding.published_verdict}"
    )


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


def method_title(method: str | None, config: Config) -> str:
    """Of the method that a finding compares with, if it does."""
    return BLANK if method is None else config.title(method)
