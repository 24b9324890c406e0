"""How findings are printed, in claims.md and on the page."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mdrnets.config.constants import PAPERS_METHOD
from mdrnets.config.load import Config
from mdrnets.reporting.claims.finding import (
    COLUMN,
    CONTRADICTED,
    SUPPORTED,
    UNDECIDED,
    UNTESTED,
    VERDICTS,
    Finding,
    combine_verdicts,
    group_by_claim,
)
from mdrnets.reporting.claims.table1 import DECIMALS
from mdrnets.reporting.tables.cells import BLANK, format_bin
from mdrnets.reporting.tables.metrics import all_metrics

MARKS = {SUPPORTED: "✓", CONTRADICTED: "✗", UNDECIDED: "?", UNTESTED: "○"}


@dataclass(frozen=True)
class FindingView:
    """A row of a table of claims, as printed."""

    verdict: str
    mark: str
    reason: str
    data: str
    metric: str
    hole: str
    difference: str
    here: str
    test: str
    paper: str


@dataclass(frozen=True)
class ClaimView:
    """A claim with its tests.

    Attributes:
        claim: in words.
        verdict: of all its tests; empty: the paper claims nothing here.
        counts: number of tests by verdict.
        findings: one for each test.
    """

    claim: str
    verdict: str
    counts: Mapping[str, int]
    findings: Sequence[FindingView]


def view_claims(
    findings: Sequence[Finding], config: Config
) -> tuple[list[ClaimView], list[ClaimView]]:
    """The claims of the paper, and the other columns of Table 1, as printed."""
    claims = group_by_claim([finding for finding in findings if finding.kind != COLUMN])
    columns = group_by_claim([finding for finding in findings if finding.kind == COLUMN])
    return (
        [
            _view_claim(claim[0].upper() + claim[1:], combine_verdicts(tests), tests, config)
            for claim, tests in claims.items()
        ],
        [_view_claim(claim, "", tests, config) for claim, tests in columns.items()],
    )


def _view_claim(claim: str, verdict: str, tests: Sequence[Finding], config: Config) -> ClaimView:
    counts = Counter(finding.verdict for finding in tests)
    return ClaimView(
        claim=claim,
        verdict=verdict,
        counts={verdict: counts[verdict] for verdict in VERDICTS},
        findings=[_view_finding(finding, config) for finding in tests],
    )


def _view_finding(finding: Finding, config: Config) -> FindingView:
    return FindingView(
        verdict=finding.verdict,
        mark=MARKS[finding.verdict],
        reason=finding.reason or "",
        data=format_dataset(finding, config),
        metric=_format_metric(finding, config),
        hole=format_bin(finding.bin) if finding.bin else BLANK,
        difference=_format_difference(finding, config),
        here=_format_here(finding),
        test=_format_test(finding),
        paper=_format_published(finding, config),
    )


def format_signed(value: float | None, decimals: int = DECIMALS) -> str:
    """For example `−0.501`."""
    return BLANK if value is None else f"{value:+.{decimals}f}".replace("-", "−")


def _format_test(finding: Finding) -> str:
    """For example `signed rank, n = 60, p = 0.012`; without a test `n = 3`.

    Between variants of one network, p is the larger of this test's and that of the trainings.
    """
    if finding.adjusted_p is None:
        return BLANK if finding.n is None else f"n = {finding.n}"
    p = "< 0.001" if finding.adjusted_p < 0.001 else f"= {finding.adjusted_p:.3f}"
    test = f"{finding.test}, n = {finding.n}"
    if finding.trainings_p is not None:
        test += f"; t-test over {finding.trainings} trainings"
    return f"{test}, p {p}"


def _format_metric(finding: Finding, config: Config) -> str:
    """The metric, after the semantic class that it is about, for example `eye: PSNR dB ↑`."""
    if finding.metric is None:
        return BLANK
    title = all_metrics(config.profile.frechet)[finding.metric].title
    return f"{finding.label}: {title}" if finding.label else title


def format_dataset(finding: Finding, config: Config) -> str:
    """The title of the data set, with the published data set that it is compared with."""
    if finding.dataset is None:
        return BLANK
    title, published_as = config.profile.datasets[finding.dataset].title, finding.published_as
    return title if title.startswith(str(published_as)) else f"{title} ({published_as})"


def _format_difference(finding: Finding, config: Config) -> str:
    """The two methods of a difference."""
    if finding.other is None:
        return BLANK
    method, other = finding.method or PAPERS_METHOD, finding.other
    return f"{config.title(method)} − {config.title(other)}"


def _format_here(finding: Finding) -> str:
    """Our value: a count, or a difference with its interval and its range over the trainings."""
    if finding.here is None:
        return BLANK
    if finding.low is None:
        return f"{finding.here:g}"
    low, high = format_signed(finding.low), format_signed(finding.high)
    text = f"{format_signed(finding.here)} [{low}, {high}]"
    if finding.least is None:
        return text
    least, most = format_signed(finding.least), format_signed(finding.most)
    return (
        f"{text}; in each training {least} to {most}, "
        f"shown by {finding.shown_by} of {finding.trainings}"
    )


def _format_published(finding: Finding, config: Config) -> str:
    """The published value, the method that it is compared with, and the verdict on its sign.

    The value is preceded by the name of its metric if it differs from ours.
    """
    if finding.published is None:
        return BLANK
    value = finding.published
    text = f"{value:g}" if finding.metric is None else format_signed(value)
    if finding.published_metric != finding.metric:
        text = f"{finding.published_metric} {text}"
    if finding.published_other:
        text += f" from {config.title(finding.published_other)}"
    return f"{text}: {finding.published_verdict}"
