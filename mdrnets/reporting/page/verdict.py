"""The verdict at the top of the page, and the claims that it summarises."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mdrnets.config.constants import PAPERS_METHOD
from mdrnets.config.load import Config
from mdrnets.files.tables import read_rows
from mdrnets.metrics.names import frechet_name
from mdrnets.reporting.claims.finding import (
    COLUMN,
    CONTRADICTED,
    LEVEL,
    SUPPORTED,
    UNDECIDED,
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
)
from mdrnets.reporting.claims.markdown import NOTES
from mdrnets.reporting.scale import headline
from mdrnets.reporting.tables.cells import BLANK, format_bin

MARKS = {SUPPORTED: "✓", CONTRADICTED: "✗", UNDECIDED: "?", UNTESTED: "○"}


@dataclass(frozen=True)
class FindingView:
    """A row of the table of claims, as printed."""

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


@dataclass(frozen=True)
class ClaimsView:
    """All claims.

    Attributes:
        claims: of the paper.
        columns: the other columns of Table 1, without a claim of their own.
        level: of significance.
        notes: how they were tested.
    """

    claims: Sequence[ClaimView]
    columns: Sequence[ClaimView]
    level: float = LEVEL
    notes: Sequence[str] = NOTES


def read_claims(path: Path, config: Config) -> ClaimsView:
    findings = read_rows(path, Finding)
    claims = group_by_claim([finding for finding in findings if finding.kind != COLUMN])
    columns = group_by_claim([finding for finding in findings if finding.kind == COLUMN])
    return ClaimsView(
        claims=[
            _claim(format_claim(claim), combine_verdicts(tests), tests, config)
            for claim, tests in claims.items()
        ],
        columns=[_claim(claim, "", tests, config) for claim, tests in columns.items()],
    )


def summarise_verdict(path: Path, config: Config, images: Mapping[str, int]) -> list[str]:
    """What the run can decide, in a sentence that can be quoted, then what it sees and its limits.

    Args:
        path: of claims.csv.
        config: protocol and profile.
        images: data set → number of test images.
    """
    tests = [finding for finding in read_rows(path, Finding) if finding.kind != COLUMN]
    profile = config.profile
    size = config.protocol.paper_scale.image_size
    data = " and ".join(
        f"{dataset.title} in place of the paper's {dataset.published_as}"
        + (f" ({images[name]} test images)" if name in images else "")
        for name, dataset in profile.datasets.items()
    )
    sentences = [
        headline(config),
        f"What this run sees, in {len(tests)} tests of {len(group_by_claim(tests))} claims of the "
        f"paper: {count_verdicts(tests)}. Profile {config.name}, {data}.",
        f"Every method was trained {_trainings(config)}, on images of "
        f"{profile.image_size}×{profile.image_size} pixels (the paper: {size}×{size}); "
        "a verdict is about this run, not about the authors' models.",
    ]
    if any(dataset.rendered for dataset in profile.datasets.values()):
        sentences.append(
            "Rendered faces prove that the pipeline runs; they say little about photographs."
        )
    if (name := frechet_name(profile.frechet)) != "FID":
        sentences.append(f"{name} is not FID, so it is not compared with a published value.")
    return sentences


def _trainings(config: Config) -> str:
    first, count = config.protocol.seed, config.profile.seeds
    if count == 1:
        return f"once, with seed {first}"
    return f"{count} times, with seeds {first} to {first + count - 1}"


def _claim(claim: str, verdict: str, tests: Sequence[Finding], config: Config) -> ClaimView:
    counts = Counter(finding.verdict for finding in tests)
    return ClaimView(
        claim=claim,
        verdict=verdict,
        counts={verdict: counts[verdict] for verdict in VERDICTS},
        findings=[_view(finding, config) for finding in tests],
    )


def _view(finding: Finding, config: Config) -> FindingView:
    return FindingView(
        verdict=finding.verdict,
        mark=MARKS[finding.verdict],
        data=format_dataset(finding, config),
        metric=_metric(finding, config),
        hole=format_bin(finding.bin) if finding.bin else BLANK,
        difference=_difference(finding, config),
        here=format_here(finding),
        test=_test(finding),
        paper=format_published(finding, config),
        reason=finding.reason or "",
    )


def _metric(finding: Finding, config: Config) -> str:
    """The metric, after the semantic class that it is about."""
    title = format_metric(finding, config)
    return f"{finding.label}: {title}" if finding.label else title


def _difference(finding: Finding, config: Config) -> str:
    """The two methods of a difference."""
    if finding.other is None:
        return BLANK
    method = format_method(finding.method or PAPERS_METHOD, config)
    return f"{method} − {format_method(finding.other, config)}"


def _test(finding: Finding) -> str:
    if finding.adjusted_p is None:
        return BLANK
    p = format_p(finding.adjusted_p)
    return f"{finding.test}, n = {finding.n}, p {p if p.startswith('<') else f'= {p}'}"
