"""A tested claim, and how a verdict is reached.

A claim holds if the difference has the claimed sign, its p, adjusted by Holm's method over all
tests of its kind, is below .05, and, of several trainings, none has another sign.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from mdrnets.metrics.paired import Difference, holm
from mdrnets.reporting.tables.build import NOTHING_FINITE
from mdrnets.reporting.tables.cells import Metric

LEVEL = 0.05
HOLDS, FAILS, UNTESTED = "holds", "does not hold", "cannot be tested here"
BEST, FIRST, GROWS, COLUMN = "best", "first", "grows", "column"
ORDER, CLASS = "order", "class"


@dataclass(frozen=True)
class Finding:
    """A claim and what became of it.

    Attributes:
        kind: `best`: than the best other method, at the largest holes; `first`: in how many
            columns; `grows`: its lead, from the smallest holes to the largest; `order`: of two
            variants; `class`: where the hole covers a whole semantic class. `column`: no claim,
            but as `best` for the other columns of Table 1.
        claim: in words.
        dataset: name in the profile.
        published_as: the published data set.
        metric: what it is about.
        bin: hole ratio in %.
        verdict: see above.
        reason: why it does not hold, or cannot be tested.
        here: the method minus the other; if `grows`, the growth of its lead; if `first`, the
            number of columns. Of several trainings, the mean.
        low: end of its interval.
        high: end of its interval.
        n: images that it is computed from; if `class`, pairs of an image and a hole.
        other: the other method here; if `best`, the best by its value in Table 1.
        test: which p is from.
        p: two-sided, of no difference.
        adjusted: by Holm's method.
        published_metric: what `published` is about.
        published: as `here`, from the paper's Table 1.
        published_other: the best other method there.
        published_verdict: by the sign.
        method: which is claimed to be better.
        label: the semantic class.
        source: what tells the class: `annotated`, `parsed`, or both.
        trainings: of each method.
        least: of `here` in each training.
        most: of `here` in each training.
    """

    kind: str
    claim: str
    dataset: str | None = None
    published_as: str | None = None
    metric: str | None = None
    bin: str | None = None
    verdict: str = UNTESTED
    reason: str | None = None
    here: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    other: str | None = None
    test: str | None = None
    p: float | None = None
    adjusted: float | None = None
    published_metric: str | None = None
    published: float | None = None
    published_other: str | None = None
    published_verdict: str | None = None
    method: str | None = None
    label: str | None = None
    source: str | None = None
    trainings: int | None = None
    least: float | None = None
    most: float | None = None


FINDING_COLUMNS = tuple(field.name for field in fields(Finding))


def with_test_result(
    finding: Finding,
    difference: Difference | None,
    by_training: Sequence[float | None],
    *,
    test: str,
) -> Finding:
    """With the numbers of its test.

    Args:
        finding: what is claimed.
        difference: None: it is finite nowhere.
        by_training: the difference in each training.
        test: which its p is from.
    """
    if difference is None:
        return replace(finding, reason=NOTHING_FINITE)
    value, low, high, p, n = difference
    finding = replace(
        finding, here=value, low=low, high=high, n=n, test=test, p=p, trainings=len(by_training)
    )
    finite = [value for value in by_training if value is not None]
    if len(by_training) == 1 or not finite:
        return finding
    return replace(finding, least=min(finite), most=max(finite))


def apply_holm(findings: Sequence[Finding]) -> list[Finding]:
    """Those that were tested are one family."""
    values = iter(holm([finding.p for finding in findings if finding.p is not None]))
    return [f if f.p is None else replace(f, adjusted=next(values)) for f in findings]


def with_verdict(finding: Finding, claimed: float | None) -> Finding:
    """The verdict on a tested difference.

    Args:
        finding: with its adjusted p; without one it stays as it is.
        claimed: the difference, positive where the claim is right.
    """
    if claimed is None or finding.adjusted is None:
        return finding
    if claimed <= 0:
        return replace(finding, verdict=FAILS, reason="the opposite sign")
    if finding.adjusted >= LEVEL:
        return replace(finding, verdict=FAILS, reason="not significant")
    if finding.least is not None and finding.most is not None and finding.least * finding.most <= 0:
        return replace(finding, verdict=FAILS, reason="not in every training")
    return replace(finding, verdict=HOLDS)


def group_by_claim(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    """The tests of each claim, in order."""
    claims: dict[str, list[Finding]] = {}
    for finding in findings:
        claims.setdefault(finding.claim, []).append(finding)
    return claims


def combine_verdicts(findings: Sequence[Finding]) -> str:
    """What the tests of one claim come to: a verdict, or in how many of them it holds."""
    counts = Counter(finding.verdict for finding in findings)
    tested = len(findings) - counts[UNTESTED]
    if not tested:
        return UNTESTED
    if not counts[HOLDS]:
        return FAILS
    return HOLDS if counts[HOLDS] == len(findings) else f"holds in {counts[HOLDS]} of {tested}"


def signed_margin(metric: Metric, difference: float | None) -> float | None:
    """Positive where the method is better."""
    return -difference if difference is not None and metric.better == "lower" else difference
