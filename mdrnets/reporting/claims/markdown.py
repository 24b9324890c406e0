"""The tests of the claims as a table and as a page: first the verdicts, then the numbers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path

from tabulate import tabulate

from mdrnets.config.load import Config
from mdrnets.files.tables import write_table
from mdrnets.reporting.claims.finding import (
    BEST,
    CLASS,
    COLUMN,
    FINDING_COLUMNS,
    FIRST,
    GROWS,
    LEVEL,
    ORDER,
    SUPPORTED,
    UNTESTED,
    VERDICTS,
    Finding,
    combine_verdicts,
    count_verdicts,
    group_by_claim,
)
from mdrnets.reporting.claims.formatting import (
    format_claim,
    format_dataset,
    format_here,
    format_method,
    format_metric,
    format_p,
    format_published,
    format_signed,
    with_published_metric,
)
from mdrnets.reporting.claims.table1 import LARGE, SMALL
from mdrnets.reporting.context import FEATURES, UNPUBLISHED
from mdrnets.reporting.scale import headline
from mdrnets.reporting.tables.cells import BLANK, HERE, PAPER, format_bin

NOTES = (
    "The best other method is the one with the best mean in that column. It may differ from the "
    "paper's.",
    "All scores are paired: both methods complete the same image with the same hole. L1, PSNR and "
    "SSIM: bootstrap interval of the mean difference and Wilcoxon signed-rank test, without pairs "
    "with an infinite PSNR. Fréchet distance: delete-half jackknife interval and a permutation "
    "test that swaps the labels of the methods image by image; for the growth of a lead, the "
    "normal approximation of the jackknife.",
    "p is two-sided and adjusted by Holm's method in four families: the columns of Table 1, the "
    "growth of leads, the comparisons of ablations, and the classes.",
    "A lead is an absolute difference. Errors grow with the hole, and leads grow with them.",
)
SOURCES = {
    "annotated": "the annotations of the images",
    "parsed": "the face parser's maps of the ground truth, where images have no annotation",
}
"""Where the class of a pixel comes from."""


def write_findings(path: Path, findings: Sequence[Finding]) -> None:
    """Write one row for each finding. A missing value is an empty field."""
    rows = (["" if value is None else value for value in astuple(f)] for f in findings)
    write_table(path, FINDING_COLUMNS, rows)


def format_claims(
    findings: Sequence[Finding], config: Config, *, facts: Sequence[tuple[str, str]]
) -> str:
    """The page in Markdown.

    Args:
        findings: of the claims and of the other columns of Table 1.
        config: protocol and profile.
        facts: (what, text), the run behind the numbers.
    """
    claims = group_by_claim([finding for finding in findings if finding.kind != COLUMN])
    columns = [finding for finding in findings if finding.kind == COLUMN]
    tested = [finding for finding in findings if finding.kind != COLUMN]
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
            f"**{headline(config)}**",
            "",
            f"What it sees, in {len(tested)} tests of {len(claims)} claims: "
            f"{count_verdicts(tested)}. Profile {config.name}: {data}.",
            "",
            _verdicts(claims),
            "",
            f"*Supported: the difference has the claimed sign and adjusted p < {LEVEL}. "
            "Contradicted: it has the opposite sign, with the same p. Undecided: no significant "
            f"difference. Brackets: {confidence:.0f} % interval. {_trainings(config)} Published "
            "numbers are judged by their sign only.*",
            "",
            *(
                line
                for claim, tests in claims.items()
                for line in (f"## {format_claim(claim)}", "", sections[tests[0].kind](tests), "")
            ),
            "## The other columns of Table 1",
            "",
            "The paper makes no claim about a single one of them, only about their number.",
            "",
            _columns(columns, config),
            "",
            "## The run behind the numbers",
            "",
            *(f"- **{what}**: {text}" for what, text in facts),
            "",
            "## Notes",
            "",
            f"- All methods were trained {HERE}, with the steps above. The paper took its "
            "baselines from released models or code. If data, image size or steps differ from the "
            "paper's, a verdict is about this run only.",
            f"- {FEATURES[config.profile.frechet]}",
            *(f"- {note}" for note in NOTES),
            "",
        ]
    )


def _verdicts(claims: Mapping[str, Sequence[Finding]]) -> str:
    """A table with one row for each claim."""
    rows = []
    for claim, tests in claims.items():
        counts = Counter(finding.verdict for finding in tests)
        numbers = [str(counts[verdict]) for verdict in VERDICTS]
        rows.append([f"**{combine_verdicts(tests)}**", format_claim(claim), *numbers])
    return _format_rows(["verdict", "claim", *VERDICTS], rows)


def _trainings(config: Config) -> str:
    """What the intervals cover."""
    if config.profile.seeds == 1:
        return (
            "Intervals and tests cover the images of one training. They do not tell how much "
            "another training would differ."
        )
    return (
        f"Scores are averaged over {config.profile.seeds} trainings of each method; intervals and "
        "tests cover the images. The smallest and the largest difference of a single training are "
        "printed beside them and must have the same sign."
    )


def _columns(findings: Sequence[Finding], config: Config) -> str:
    """MDRNets against the best other method, with one row for each column of Table 1."""
    return _format_rows(
        ["verdict", "data", "metric", "hole", f"difference {HERE}", "from", "adjusted p", PAPER],
        [
            [
                _format_verdict(f),
                format_dataset(f, config),
                format_metric(f, config),
                format_bin(str(f.bin)),
                format_here(f),
                format_method(f.other, config),
                format_p(f.adjusted_p),
                format_published(f, config),
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
                _format_verdict(f),
                format_dataset(f, config),
                format_metric(f, config),
                " → ".join(format_signed(c.here if c else None) for c in pair),
                format_here(f),
                format_p(f.adjusted_p),
                with_published_metric(
                    " → ".join(format_signed(c.published if c else None) for c in pair), f
                ),
                f.published_verdict or BLANK,
            ]
        )
    return _format_rows(
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
    """One variant against another, with one row for each column of the table."""
    if tests[0].metric is None:
        return f"**{tests[0].verdict}**: {tests[0].reason}."
    table = _format_rows(
        ["verdict", "metric", "hole", f"difference {HERE}", "adjusted p"],
        [
            [
                _format_verdict(f),
                format_metric(f, config),
                format_bin(str(f.bin)),
                format_here(f),
                format_p(f.adjusted_p),
            ]
            for f in tests
        ],
    )
    return f"On {format_dataset(tests[0], config)}. {UNPUBLISHED}\n\n{table}"


def _classes(tests: Sequence[Finding], config: Config) -> str:
    """One row for each class and metric, and a sentence on those that cannot be tested."""
    if tests[0].metric is None:
        return f"**{tests[0].verdict}**: {tests[0].reason}."
    used = " ".join(f.source or "" for f in tests)
    sources = " and ".join(text for source, text in SOURCES.items() if source in used)
    lines = [
        f"On {format_dataset(tests[0], config)}, over all pairs of an image and a hole that "
        f"covers the class entirely, and over the pixels of the class. The classes are from "
        f"{sources or 'no image'}. {UNPUBLISHED}",
    ]
    rows = [
        [
            _format_verdict(f),
            str(f.label),
            format_metric(f, config),
            str(f.n),
            format_here(f),
            format_p(f.adjusted_p),
        ]
        for f in tests
        if f.verdict != UNTESTED
    ]
    if rows:
        headers = ["verdict", "class", "metric", "pairs", f"difference {HERE}", "adjusted p"]
        lines += ["", _format_rows(headers, rows)]
    for reason in dict.fromkeys(f.reason for f in tests if f.verdict == UNTESTED):
        untested = dict.fromkeys(f"{f.label} ({f.n})" for f in tests if f.reason == reason)
        lines += ["", f"**{UNTESTED}**, {reason}: {', '.join(untested)}."]
    return "\n".join(lines)


def _format_rows(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    text: str = tabulate(rows, headers, tablefmt="pipe", disable_numparse=True)
    return text


def _format_verdict(finding: Finding) -> str:
    if finding.verdict == SUPPORTED or not finding.reason:
        return f"**{finding.verdict}**"
    return f"{finding.verdict}: {finding.reason}"
