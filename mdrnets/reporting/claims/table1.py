"""What the paper claims of its Table 1, tested: MDRNets against the best other method.

Published numbers are judged by their sign only; all of them come from
`reports/published/table1.csv`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from mdrnets.config.constants import PAPERS_METHOD
from mdrnets.config.data import Dataset
from mdrnets.reporting.claims.finding import (
    AS_CLAIMED,
    BEST,
    COLUMN,
    CONTRADICTED,
    FIRST,
    GROWS,
    NOT_AS_CLAIMED,
    SUPPORTED,
    UNDECIDED,
    Finding,
    apply_holm,
    signed_margin,
    with_test_result,
    with_verdict,
)
from mdrnets.reporting.claims.results import (
    FRECHET,
    SCORES,
    SIGNED_RANK,
    TESTS,
    Resampling,
    Results,
)
from mdrnets.reporting.tables.build import NOTHING_FINITE
from mdrnets.reporting.tables.cells import Metric, find_winners, format_bin
from mdrnets.reporting.tables.published import Published
from mdrnets.runtime.seeds import derived_seed

SMALL, LARGE = "1-20", "40-60"
DECIMALS = 3  # that the paper prints


@dataclass(frozen=True)
class Table1Claims:
    """What the claims are tested on.

    Attributes:
        datasets: of the profile.
        metrics: of Table 1.
        bins: of hole ratio, in order.
        methods: of the run.
        results: by data set; not read where `reason_untestable` gives one.
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
        tested = apply_holm([self._column(*place) for place in places])
        columns = {
            place: with_verdict(finding, signed_margin(place[1], finding.here))
            for place, finding in zip(places, tested, strict=True)
        }
        in_paper = [place for place in places if self._published(*place)]
        ends = {
            (dataset, metric): [columns.get((dataset, metric, b)) for b in (SMALL, LARGE)]
            for dataset, metric in product(self.datasets, self.metrics)
        }
        growth = apply_holm([self._growth(*place, *pair) for place, pair in ends.items()])
        return [
            *(finding for finding in columns.values() if finding.kind == BEST),
            *([self._first(in_paper, [columns[place] for place in in_paper])] if in_paper else []),
            *(
                _growth_verdict(finding, large)
                for finding, (_, large) in zip(growth, ends.values(), strict=True)
            ),
            *(finding for finding in columns.values() if finding.kind == COLUMN),
        ]

    def _column(self, dataset: str, metric: Metric, bin_: str) -> Finding:
        """MDRNets against the best other method in one column of Table 1."""
        published = self._published(dataset, metric, bin_)
        there = _best_other(metric, published)
        margin = (
            None if there is None else round(published[PAPERS_METHOD] - published[there], DECIMALS)
        )
        finding = Finding(
            BEST if bin_ == LARGE else COLUMN,
            f"MDRNets is better than the best other method at {format_bin(bin_)}",
            dataset,
            self.datasets[dataset].published_as,
            metric.name,
            bin_,
            reason=reason_untestable(self.methods, self.bins),
            published_metric=metric.published,
            published=margin,
            published_other=there,
            published_verdict=_by_sign(signed_margin(metric, margin)),
            method=PAPERS_METHOD,
        )
        if finding.reason:
            return finding
        other = _best_other(metric, self._values(dataset, metric, bin_))
        if other is None:
            return replace(finding, reason=NOTHING_FINITE)

        finding = test_difference(
            replace(finding, other=other),
            self.results[dataset],
            metric,
            resampling=self.resampling,
            seed=derived_seed(self.seed, BEST, dataset, score_name(metric), bin_),
        )
        if finding.p is None or (signed_margin(metric, finding.here) or 0) >= 0:
            return finding
        # Bonferroni's correction, since the best other method was selected on the same images.
        return replace(finding, p=min(1.0, finding.p * (len(self.methods) - 1)))

    def _growth(
        self, dataset: str, metric: Metric, small: Finding | None, large: Finding | None
    ) -> Finding:
        """How much MDRNets' lead grows from the smallest holes to the largest."""
        finding = Finding(
            GROWS,
            "especially under large holes: MDRNets' lead at "
            f"{format_bin(LARGE)} is larger than at {format_bin(SMALL)}",
            dataset,
            self.datasets[dataset].published_as,
            metric.name,
            reason=reason_untestable(self.methods, self.bins),
            published_metric=metric.published,
            method=PAPERS_METHOD,
        )
        if small is None or large is None:
            return finding
        before, after = (signed_margin(metric, column.published) for column in (small, large))
        if before is not None and after is not None:
            increase = round(after - before, DECIMALS)
            finding = replace(finding, published=increase, published_verdict=_by_sign(increase))
        if finding.reason or small.other is None or large.other is None:
            return replace(finding, reason=finding.reason or NOTHING_FINITE)

        better = 1 if metric.better == "higher" else -1
        weights = {
            (PAPERS_METHOD, LARGE): better,
            (large.other, LARGE): -better,
            (PAPERS_METHOD, SMALL): -better,
            (small.other, SMALL): better,
        }
        name, results = score_name(metric), self.results[dataset]
        seed = derived_seed(self.seed, GROWS, dataset, name)
        return with_test_result(
            finding,
            results.contrast(name, weights, resampling=self.resampling, seed=seed),
            results.by_training(name, weights, resampling=self.resampling, seed=seed),
            test="jackknife" if name == FRECHET else SIGNED_RANK,
        )

    def _first(
        self, places: Sequence[tuple[str, Metric, str]], columns: Sequence[Finding]
    ) -> Finding:
        """In how many columns MDRNets is first."""
        claimed = _count(places, self._published)
        finding = Finding(
            FIRST,
            f"MDRNets is first in {claimed} of {len(places)} columns of Table 1",
            reason=reason_untestable(self.methods, self.bins),
            published=claimed,
            published_verdict=AS_CLAIMED,
            method=PAPERS_METHOD,
        )
        if finding.reason:
            return finding
        first = _count(places, self._values)
        ahead = sum(column.verdict == SUPPORTED for column in columns)
        behind = sum(column.verdict == CONTRADICTED for column in columns)
        verdict = UNDECIDED
        if ahead >= claimed:
            verdict = SUPPORTED
        elif len(places) - behind < claimed:
            verdict = CONTRADICTED
        return replace(
            finding,
            verdict=verdict,
            reason=f"first in {first} of {len(places)} columns, significantly in {ahead}; "
            f"significantly behind in {behind}",
            here=first,
        )

    def _values(self, dataset: str, metric: Metric, bin_: str) -> dict[str, float | None]:
        """Ours by method, as in Table 1."""
        results = self.results[dataset]
        return {method: results.value(score_name(metric), method, bin_) for method in self.methods}

    def _published(self, dataset: str, metric: Metric, bin_: str) -> dict[str, float]:
        """The paper's by method."""
        column = (self.datasets[dataset].published_as, metric.published, bin_)
        return {m: v for (d, m, k, b), v in self.published.items() if (d, k, b) == column}


def reason_untestable(methods: Sequence[str], bins: Sequence[str]) -> str | None:
    """Why a run with these methods and bins can test no claim."""
    if PAPERS_METHOD not in methods:
        return "MDRNets is not run in this profile"
    if len(methods) < 2:
        return "fewer than two methods are run in this profile"
    if missing := {SMALL, LARGE} - set(bins):
        return f"params.yaml has no bin {min(missing)}"
    return None


def _count(
    places: Sequence[tuple[str, Metric, str]],
    values: Callable[[str, Metric, str], Mapping[str, float | None]],
) -> int:
    """The columns in which MDRNets is first, as printed and with ties, as under Table 1."""
    return sum(PAPERS_METHOD in find_winners(place[1], values(*place)) for place in places)


def score_name(metric: Metric) -> str:
    """The column of the scores, or the distance, that a metric of Table 1 is."""
    return SCORES[str(metric.published)]


def test_difference(
    finding: Finding, results: Results, metric: Metric, *, resampling: Resampling, seed: int
) -> Finding:
    """The finding's method minus the other in its bin, tested."""
    name, bin_ = score_name(metric), str(finding.bin)
    pair = str(finding.method), str(finding.other)
    weights = {(pair[0], bin_): 1, (pair[1], bin_): -1}
    return with_test_result(
        finding,
        results.difference(name, *pair, bin_, resampling=resampling, seed=seed),
        results.by_training(name, weights, resampling=resampling, seed=seed),
        test=TESTS.get(name, SIGNED_RANK),
    )


def _best_other(metric: Metric, values: Mapping[str, float | None]) -> str | None:
    """None where MDRNets or all others have no value."""
    others = {m: v for m, v in values.items() if m != PAPERS_METHOD and v is not None}
    if values.get(PAPERS_METHOD) is None or not others:
        return None
    return (min if metric.better == "lower" else max)(others, key=lambda m: others[m])


def _by_sign(claimed: float | None) -> str | None:
    if claimed is None:
        return None
    return AS_CLAIMED if claimed > 0 else NOT_AS_CLAIMED


def _growth_verdict(finding: Finding, large: Finding | None) -> Finding:
    """A smaller deficit is not a growing lead: MDRNets must be ahead at the largest holes."""
    finding = with_verdict(finding, finding.here)
    if finding.verdict != SUPPORTED or large is None or large.verdict == SUPPORTED:
        return finding
    if large.verdict == CONTRADICTED:
        behind = f"significantly behind at {format_bin(LARGE)}"
        return replace(finding, verdict=CONTRADICTED, reason=behind)
    return replace(finding, verdict=UNDECIDED, reason=f"no significant lead at {format_bin(LARGE)}")
