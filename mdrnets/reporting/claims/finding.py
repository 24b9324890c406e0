"""A tested claim, and the rule for its verdict.

A difference is significant if its p is below .05 after adjustment by Holm's method over all tests
of its kind, and if each training shows it: the interval of its own difference excludes 0 on the
same side. A significant difference supports the claim or contradicts it, by its sign; any other
difference leaves the claim undecided. A growing lead also needs a significant lead at the largest
holes; being significantly behind there contradicts it.

Variants of one network can differ less than two trainings of it. Their p is therefore the larger of
two: over the images, and over the trainings. One training decides nothing between them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mdrnets.metrics.paired import Difference, holm
from mdrnets.reporting.tables.build import NOTHING_FINITE
from mdrnets.reporting.tables.cells import Metric

LEVEL = 0.05
SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "undecided"
UNTESTED, MIXED = "not tested", "mixed"
VERDICTS = (SUPPORTED, CONTRADICTED, UNDECIDED, UNTESTED)
AS_CLAIMED, NOT_AS_CLAIMED = "as claimed", "not as claimed"
BEST, FIRST, GROWS, COLUMN = "best", "first", "grows", "column"
ORDER, CLASS = "order", "class"
OF_VARIANTS = ORDER, CLASS
"""The kinds that compare variants of one network."""


@dataclass(frozen=True)
class Finding:
    """A claim and the result of its test.

    Attributes:
        kind: `best`: better than the best other method at the largest holes; `first`: the number
            of columns in which the method is first; `grows`: the lead grows from the smallest holes
            to the largest; `order`: one variant is better than another; `class`: better where the
            hole covers a whole semantic class; `column`: no claim, the test of `best` for the other
            columns of Table 1.
        claim: in words.
        dataset: name in the profile.
        published_as: the published data set.
        metric: name of the metric.
        bin: hole ratio in %.
        verdict: one of `VERDICTS`.
        reason: why the claim is not supported, or was not tested.
        here: the difference, method minus other; for `grows` the growth of the lead; for `first`
            the number of columns. The mean over the trainings.
        low: lower end of its interval.
        high: upper end of its interval.
        n: number of images.
        other: the method that it is compared with.
        test: name of the test that gave `p`.
        p: two-sided p-value over the images.
        trainings_p: between variants, the p-value over the trainings; None: one training.
        adjusted_p: the larger of the two, adjusted by Holm's method.
        published_metric: name of the metric of `published`.
        published: the same as `here`, from the paper's Table 1.
        published_other: the best other method in the paper's Table 1.
        published_verdict: whether `published` has the claimed sign.
        method: the method that is claimed to be better.
        label: the semantic class.
        source: of the class of each pixel: `annotated`, `parsed`, or both.
        trainings: number of trainings of each method.
        shown_by: number of trainings whose interval excludes 0 on the side of `here`.
        least: smallest value of `here` in a training, if there are several.
        most: largest value of `here` in a training, if there are several.
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
    trainings_p: float | None = None
    adjusted_p: float | None = None
    published_metric: str | None = None
    published: float | None = None
    published_other: str | None = None
    published_verdict: str | None = None
    method: str | None = None
    label: str | None = None
    source: str | None = None
    trainings: int | None = None
    shown_by: int | None = None
    least: float | None = None
    most: float | None = None


def with_test_result(
    finding: Finding,
    difference: Difference | None,
    by_training: Sequence[Difference | None],
    *,
    test: str,
) -> Finding:
    """Add the result of a test to a finding.

    Args:
        finding: the claim.
        difference: None: it is infinite for every image.
        by_training: the same of each training alone, if there are several.
        test: name of the test.
    """
    if difference is None:
        return replace(finding, reason=NOTHING_FINITE)
    value, low, high, p, n = difference
    each = [one for one in by_training or [difference] if one is not None]
    finding = replace(
        finding,
        here=value,
        low=low,
        high=high,
        n=n,
        test=test,
        p=p,
        trainings=max(1, len(by_training)),
        shown_by=sum(one.sign * value > 0 for one in each),
    )
    if not by_training or not each:
        return finding
    values = [one.value for one in each]
    return replace(finding, least=min(values), most=max(values))


def apply_holm(findings: Sequence[Finding]) -> list[Finding]:
    """Adjust the p-values of all tested findings, as one family."""
    p_values = [max(f.p, f.trainings_p or 0) for f in findings if f.p is not None]
    values = iter(holm(p_values))
    return [f if f.p is None else replace(f, adjusted_p=next(values)) for f in findings]


def with_verdict(finding: Finding, claimed: float | None) -> Finding:
    """Add the verdict on a tested difference.

    Args:
        finding: with its adjusted p; without one it is returned unchanged.
        claimed: the difference with the sign that makes it positive if the claim is right.
    """
    if claimed is None or finding.adjusted_p is None:
        return finding
    if finding.adjusted_p >= LEVEL or claimed == 0:
        return replace(finding, verdict=UNDECIDED, reason="no significant difference")
    if finding.shown_by != finding.trainings:
        return replace(finding, verdict=UNDECIDED, reason="not shown by every training")
    if finding.kind in OF_VARIANTS and finding.trainings_p is None:
        return replace(finding, verdict=UNDECIDED, reason="one training")
    if claimed < 0:
        return replace(finding, verdict=CONTRADICTED, reason="the opposite sign")
    return replace(finding, verdict=SUPPORTED)


def group_by_claim(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    """Group the tests by claim, in order."""
    claims: dict[str, list[Finding]] = {}
    for finding in findings:
        claims.setdefault(finding.claim, []).append(finding)
    return claims


def combine_verdicts(findings: Sequence[Finding]) -> str:
    """The verdict on all tests of one claim.

    One verdict if all tests agree that could be run; `mixed` if some support the claim and others
    contradict it; otherwise the number of tests that do one of the two.
    """
    counts = Counter(finding.verdict for finding in findings)
    tested = counts.total() - counts[UNTESTED]
    if counts[SUPPORTED] and counts[CONTRADICTED]:
        return MIXED
    verdict = next(verdict for verdict in VERDICTS if counts[verdict])
    return (
        verdict
        if counts[verdict] in (tested, counts.total())
        else (f"{verdict} in {counts[verdict]} of {tested}")
    )


def count_verdicts(findings: Sequence[Finding]) -> str:
    """For example `9 supported, 40 contradicted, 30 undecided, 14 not tested`."""
    counts = Counter(finding.verdict for finding in findings)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS)


def signed_margin(metric: Metric, difference: float | None) -> float | None:
    """The difference with the sign that makes it positive if the method is better."""
    return -difference if difference is not None and metric.better == "lower" else difference
