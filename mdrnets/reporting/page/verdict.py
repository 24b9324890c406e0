"""The verdict at the top of the page, and the claims behind it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mdrnets.config.load import Config
from mdrnets.config.protocol import PAPERS_METHOD
from mdrnets.metrics.names import frechet_name
from mdrnets.reporting.claims.finding import (
    COLUMN,
    FAILS,
    HOLDS,
    LEVEL,
    UNTESTED,
    Finding,
    combine_verdicts,
    group_by_claim,
)
from mdrnets.reporting.claims.markdown import NOTES, method_title, metric_title
from mdrnets.reporting.claims.table1 import DECIMALS
from mdrnets.reporting.page.rows import read_rows
from mdrnets.reporting.tables.cells import BLANK, format_bin

PAPER_SIZE = 256
MARKS = {HOLDS: "✓", FAILS: "✗", UNTESTED: "○"}


@dataclass(frozen=True)
class ShownFinding:
    """A row of the table of claims, all as printed."""

    verdict: str
    mark: str
    data: str
    metric: str
    hole: str
    difference: str
    here: str
    test: str
    paper: str
    reason: str


@dataclass(frozen=True)
class ShownClaim:
    """A claim with its tests.

    Attributes:
        claim: in words.
        verdict: what its tests come to; empty: nothing is claimed.
        findings: one a test.
    """

    claim: str
    verdict: str
    findings: Sequence[ShownFinding]


@dataclass(frozen=True)
class ShownClaims:
    """All of them.

    Attributes:
        claims: of the paper.
        columns: the other columns of Table 1, of which nothing is claimed apart.
        level: of significance.
        notes: how they were tested.
    """

    claims: Sequence[ShownClaim]
    columns: Sequence[ShownClaim]
    level: float = LEVEL
    notes: Sequence[str] = NOTES


def read_claims(path: Path, config: Config) -> ShownClaims:
    findings = read_rows(path, Finding)
    claims = group_by_claim([finding for finding in findings if finding.kind != COLUMN])
    columns = group_by_claim([finding for finding in findings if finding.kind == COLUMN])
    return ShownClaims(
        claims=[
            _claim(claim, combine_verdicts(tests), tests, config) for claim, tests in claims.items()
        ],
        columns=[_claim(claim, "", tests, config) for claim, tests in columns.items()],
    )


def verdict(path: Path, config: Config, images: Mapping[str, int]) -> list[str]:
    """What a reviewer may quote, and what limits it: two sentences, then others.

    Args:
        path: the findings.
        config: what was run.
        images: data set → number of test images.
    """
    tests = [finding for finding in read_rows(path, Finding) if finding.kind != COLUMN]
    counts = Counter(finding.verdict for finding in tests)
    profile = config.profile
    data = " and ".join(
        f"{dataset.title} in place of the paper's {dataset.published_as}"
        + (f" ({images[name]} test images)" if name in images else "")
        for name, dataset in profile.datasets.items()
    )
    sentences = [
        f"Of {len(tests)} tests of {len(group_by_claim(tests))} claims of the paper, "
        f"{_number(counts[HOLDS], 'hold', 'holds')}, "
        f"{_number(counts[FAILS], 'do not hold', 'does not hold')} and {counts[UNTESTED]} cannot "
        f"be made here: profile {config.name}, {data}.",
        f"Every method was trained {_trainings(config)}, on images of "
        f"{profile.image_size}×{profile.image_size} pixels (the paper: {PAPER_SIZE}×{PAPER_SIZE}); "
        "a verdict is about this run, and not about the authors' models.",
    ]
    if any("rendered" in dataset.title.lower() for dataset in profile.datasets.values()):
        sentences.append(
            "Rendered faces show that the pipeline works; they say little about photographs."
        )
    if (name := frechet_name(profile.frechet)) != "FID":
        sentences.append(f"{name} is not FID, and is compared with no published value.")
    return sentences


def _number(count: int, many: str, one: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _trainings(config: Config) -> str:
    first, count = config.protocol.seed, config.profile.seeds
    if count == 1:
        return f"once, with seed {first}"
    return f"{count} times, with seeds {first} to {first + count - 1}"


def _claim(claim: str, verdict: str, tests: Sequence[Finding], config: Config) -> ShownClaim:
    return ShownClaim(claim, verdict, [_shown(finding, config) for finding in tests])


def _shown(finding: Finding, config: Config) -> ShownFinding:
    return ShownFinding(
        verdict=finding.verdict,
        mark=MARKS[finding.verdict],
        data=config.profile.datasets[finding.dataset].title if finding.dataset else BLANK,
        metric=_metric(finding, config),
        hole=format_bin(finding.bin) if finding.bin else BLANK,
        difference=_difference(finding, config),
        here=_here(finding),
        test=_test(finding),
        paper=_paper(finding, config),
        reason=finding.reason or "",
    )


def _metric(finding: Finding, config: Config) -> str:
    """With its unit and direction, and the semantic class that it is about."""
    if finding.metric is None:
        return BLANK
    title = metric_title(finding.metric, config)
    return f"{finding.label}: {title}" if finding.label else title


def _difference(finding: Finding, config: Config) -> str:
    """Of which methods."""
    if finding.other is None:
        return BLANK
    method = method_title(finding.method or PAPERS_METHOD, config)
    return f"{method} − {method_title(finding.other, config)}"


def _here(finding: Finding) -> str:
    if finding.here is None:
        return BLANK
    if finding.low is None:  # a count
        return f"{finding.here:g}"
    text = f"{_signed(finding.here)} [{_signed(finding.low)}, {_signed(finding.high)}]"
    if finding.least is None:
        return text
    return f"{text}, in each training {_signed(finding.least)} to {_signed(finding.most)}"


def _test(finding: Finding) -> str:
    if finding.adjusted is None:
        return BLANK
    p = "p < 0.001" if finding.adjusted < 0.001 else f"p = {finding.adjusted:.3f}"
    return f"{finding.test}, n = {finding.n}, {p}"


def _paper(finding: Finding, config: Config) -> str:
    """The published difference, in which metric, from which method, and its sign's verdict."""
    if finding.published is None:
        return BLANK
    text = f"{finding.published:g}" if finding.metric is None else _signed(finding.published)
    if finding.published_metric != finding.metric:
        text = f"{finding.published_metric} {text}"
    if finding.published_other:
        text += f" from {method_title(finding.published_other, config)}"
    return f"{text}: {finding.published_verdict}"


def _signed(value: float | None) -> str:
    return BLANK if value is None else f"{value:+.{DECIMALS}f}".replace("-", "−")
