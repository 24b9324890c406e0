"""The paper's claims about MDRNets, tested: each holds, does not hold, or cannot be tested here.

A claim holds if the difference has the claimed sign and its p, adjusted by Holm's method over all
columns of Table 1, is below .05. The published numbers are judged by the sign alone; all of them
come from `reports/published/table1.csv`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from mdrnets.config_data import Dataset
from mdrnets.metrics.paired import Difference, holm
from mdrnets.reporting.cells import Metric, bin_title, winners
from mdrnets.reporting.claims_results import FRECHET, SCORES, Resampling, Results
from mdrnets.reporting.published import Published
from mdrnets.reporting.table1 import NOTHING_FINITE
from mdrnets.seeds import derived_seed

OURS = "mdrnets"
SMALL, LARGE = "1-20", "40-60"
LEVEL = 0.05
DECIMALS = 3  # that the paper prints

HOLDS, FAILS, UNTESTED = "holds", "does not hold", "cannot be tested here"
BEST, FIRST, GROWS, LATER, COLUMN = "best", "first", "grows", "later", "column"

_VARIANTS = "needs the scores of the variants, which this page does not compare yet"
_CLASSES = "needs scores by semantic class, which are not computed yet"
NOT_YET = {
    "the full method is better than w/o MREM, and that than w/o MREM, w/o DMM": _VARIANTS,
    "the full method is better than w/o L_sem": _VARIANTS,
    "the full method is better than w/o L_InCo²": _VARIANTS,
    "where a whole semantic class (the eyes) is in the hole, the full method completes it better "
    "than w/o MREM, w/o DMM": _CLASSES,
}
"""Claim → why it is not tested."""


@dataclass(frozen=True)
class Finding:
    """A claim and what became of it.

    Attributes:
        kind: `best`: than the best other method, at the largest holes; `first`: in how many
            columns; `grows`: its lead, from the smallest holes to the largest; `later`: not tested.
            `column`: no claim, but as `best` for the other columns of Table 1.
        claim: in words.
        dataset: name in the profile.
        stands_for: the published data set.
        metric: what it is about.
        bin: hole ratio in %.
        verdict: see above.
        reason: why it does not hold, or cannot be tested.
        here: MDRNets minus the best other method; if `grows`, the growth of MDRNets' lead; if
            `first`, the number of columns.
        low: end of its interval.
        high: end of its interval.
        n: images that it is computed from.
        other: the best other method here, by its value in Table 1.
        test: which p is from.
        p: two-sided, of no difference.
        adjusted: by Holm's method.
        published_metric: what `published` is about.
        published: as `here`, from the paper's Table 1.
        published_other: the best other method there.
        published_verdict: by the sign.
    """

    kind: str
    claim: str
    dataset: str | None = None
    stands_for: str | None = None
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


@dataclass(frozen=True)
class Claims:
    """What the claims are tested on.

    Attributes:
        datasets: of the profile.
        metrics: of Table 1.
        bins: of hole ratio, in order.
        methods: of the run.
        results: by data set; not read where `untestable`.
        published: the paper's Table 1.
        resampling: of intervals and tests.
        seed: of all of them.
    """

    datasets: Mapping[str, Dataset]
    metrics: Sequence[Metric]
    bins: Sequence[str]
    methods: Sequence[str]
    results: Mapping[str, Results]
    published: Published
    resampling: Resampling
    seed: int

    def findings(self) -> list[Finding]:
        """All claims, then the other columns of Table 1."""
        places = list(product(self.datasets, self.metrics, self.bins))
        tested = _adjusted([self._column(*place) for place in places])
        columns = {
            (dataset, metric.name, bin_): _judged(finding, _lead(metric, finding.here))
            for (dataset, metric, bin_), finding in zip(places, tested, strict=True)
        }
        ends = {
            (dataset, metric): [columns.get((dataset, metric.name, b)) for b in (SMALL, LARGE)]
            for dataset, metric in product(self.datasets, self.metrics)
        }
        growth = _adjusted([self._growth(*place, *pair) for place, pair in ends.items()])
        leads = [
            _lead(metric, large.here if large else None) for (_, metric), (_, large) in ends.items()
        ]
        return [
            *(finding for finding in columns.values() if finding.kind == BEST),
            self._first(places, list(columns.values())),
            *(_growth_judged(f, lead) for f, lead in zip(growth, leads, strict=True)),
            *(Finding(LATER, claim, reason=reason) for claim, reason in NOT_YET.items()),
            *(finding for finding in columns.values() if finding.kind == COLUMN),
        ]

    def _column(self, dataset: str, metric: Metric, bin_: str) -> Finding:
        """MDRNets against the best other method in one column of Table 1."""
        published = self._published(dataset, metric, bin_)
        there = _best_other(metric, published)
        margin = None if there is None else round(published[OURS] - published[there], DECIMALS)
        finding = Finding(
            BEST if bin_ == LARGE else COLUMN,
            f"better than the best other method at {bin_title(bin_)}",
            dataset,
            self.datasets[dataset].stands_for,
            metric.name,
            bin_,
            reason=untestable(self.methods, self.bins),
            published_metric=metric.published,
            published=margin,
            published_other=there,
            published_verdict=_by_sign(_lead(metric, margin)),
        )
        if finding.reason:
            return finding
        other = _best_other(metric, self._values(dataset, metric, bin_))
        if other is None:
            return replace(finding, reason=NOTHING_FINITE)

        score, results = _score(metric), self.results[dataset]
        seed = derived_seed(self.seed, BEST, dataset, score, bin_)
        weights = {(OURS, bin_): 1, (other, bin_): -1}
        difference = results.contrast(score, weights, resampling=self.resampling, seed=seed)
        if score == FRECHET and difference:
            p = results.label_swap(OURS, other, bin_, resampling=self.resampling, seed=seed)
            found = _found(finding, difference._replace(p=p), test="label swap")
        else:
            found = _found(finding, difference, test="signed rank")
        return replace(found, other=other)

    def _growth(
        self, dataset: str, metric: Metric, small: Finding | None, large: Finding | None
    ) -> Finding:
        """How much further MDRNets leads at the largest holes than at the smallest."""
        finding = Finding(
            GROWS,
            f"its lead at {bin_title(LARGE)} is larger than at {bin_title(SMALL)}",
            dataset,
            self.datasets[dataset].stands_for,
            metric.name,
            reason=untestable(self.methods, self.bins),
            published_metric=metric.published,
        )
        if small is None or large is None:
            return finding
        before, after = (_lead(metric, column.published) for column in (small, large))
        if before is not None and after is not None:
            grown = round(after - before, DECIMALS)
            finding = replace(finding, published=grown, published_verdict=_by_sign(grown))
        if finding.reason or small.other is None or large.other is None:
            return replace(finding, reason=finding.reason or NOTHING_FINITE)

        better = 1 if metric.better == "higher" else -1
        difference = self.results[dataset].contrast(
            _score(metric),
            {
                (OURS, LARGE): better,
                (large.other, LARGE): -better,
                (OURS, SMALL): -better,
                (small.other, SMALL): better,
            },
            resampling=self.resampling,
            seed=derived_seed(self.seed, GROWS, dataset, _score(metric)),
        )
        test = "jackknife" if _score(metric) == FRECHET else "signed rank"
        return _found(finding, difference, test=test)

    def _first(
        self, places: Sequence[tuple[str, Metric, str]], columns: Sequence[Finding]
    ) -> Finding:
        """In how many columns MDRNets is first."""
        claimed = _count(places, self._published)
        finding = Finding(
            FIRST,
            f"first in {claimed} of {len(places)} columns of Table 1",
            reason=untestable(self.methods, self.bins),
            published=claimed,
            published_verdict=HOLDS,
        )
        if finding.reason:
            return finding
        first = _count(places, self._values)
        clearly = sum(column.verdict == HOLDS for column in columns)
        return replace(
            finding,
            verdict=HOLDS if clearly >= claimed else FAILS,
            reason=f"first in {first} of {len(places)}, significantly in {clearly}",
            here=first,
        )

    def _values(self, dataset: str, metric: Metric, bin_: str) -> dict[str, float | None]:
        """Ours by method, as in Table 1."""
        results = self.results[dataset]
        return {method: results.value(_score(metric), method, bin_) for method in self.methods}

    def _published(self, dataset: str, metric: Metric, bin_: str) -> dict[str, float]:
        """The paper's by method."""
        column = (self.datasets[dataset].stands_for, metric.published, bin_)
        return {m: v for (d, m, k, b), v in self.published.items() if (d, k, b) == column}


def untestable(methods: Sequence[str], bins: Sequence[str]) -> str | None:
    """Why a run with these methods and bins can test no claim."""
    if OURS not in methods:
        return "MDRNets is not run in this profile"
    if len(methods) < 2:
        return "fewer than two methods are run in this profile"
    if missing := {SMALL, LARGE} - set(bins):
        return f"there is no bin {min(missing)} in params.yaml"
    return None


def _count(
    places: Sequence[tuple[str, Metric, str]],
    values: Callable[[str, Metric, str], Mapping[str, float | None]],
) -> int:
    """The columns in which MDRNets is first, as printed and with ties, as under Table 1."""
    return sum(OURS in winners(place[1], values(*place)) for place in places)


def _score(metric: Metric) -> str:
    return SCORES[str(metric.published)]


def _best_other(metric: Metric, values: Mapping[str, float | None]) -> str | None:
    """None where MDRNets or all others have no value."""
    others = {m: v for m, v in values.items() if m != OURS and v is not None}
    if values.get(OURS) is None or not others:
        return None
    return (min if metric.better == "lower" else max)(others, key=lambda m: others[m])


def _lead(metric: Metric, difference: float | None) -> float | None:
    """Positive where MDRNets is better."""
    return -difference if difference is not None and metric.better == "lower" else difference


def _by_sign(claimed: float | None) -> str | None:
    if claimed is None:
        return None
    return HOLDS if claimed > 0 else FAILS


def _found(finding: Finding, difference: Difference | None, *, test: str) -> Finding:
    if difference is None:
        return replace(finding, reason=NOTHING_FINITE)
    value, low, high, p, n = difference
    return replace(finding, here=value, low=low, high=high, n=n, test=test, p=p)


def _adjusted(findings: Sequence[Finding]) -> list[Finding]:
    """Those that were tested are one family."""
    adjusted = iter(holm([finding.p for finding in findings if finding.p is not None]))
    return [f if f.p is None else replace(f, adjusted=next(adjusted)) for f in findings]


def _growth_judged(finding: Finding, lead: float | None) -> Finding:
    """Falling behind less is no lead that grows: MDRNets must be ahead at the largest holes."""
    judged = _judged(finding, finding.here)
    if judged.verdict == HOLDS and not (lead or 0) > 0:
        return replace(judged, verdict=FAILS, reason=f"no lead at {bin_title(LARGE)}")
    return judged


def _judged(finding: Finding, claimed: float | None) -> Finding:
    """The verdict on a tested difference, positive where the claim is right."""
    if claimed is None or finding.adjusted is None:
        return finding
    if claimed <= 0:
        return replace(finding, verdict=FAILS, reason="the opposite sign")
    if finding.adjusted >= LEVEL:
        return replace(finding, verdict=FAILS, reason="not significant")
    return replace(finding, verdict=HOLDS)
