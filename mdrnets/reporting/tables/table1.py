"""Table 1: our values with intervals, and the published ones beside them.

The extended table, of the same form, holds what the paper does not print: scores over the hole
alone, of the output before compositing, and the kernel distance.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from itertools import product

from mdrnets.config.data import Dataset
from mdrnets.errors import UserError
from mdrnets.evaluation.summary import BinSummary, Estimate, Summary
from mdrnets.metrics.names import frechet_name, kernel_name
from mdrnets.reporting.tables.cells import Cell, Metric, Table, mark_best
from mdrnets.reporting.tables.published import Published

NOT_IN_PROFILE = "not run in this profile"
NOT_RUN = "not run"
NOTHING_FINITE = "infinite for every image"

Summaries = Mapping[tuple[str, str], Summary]
"""(data set, method) → its scores."""


def table1_metrics(features: str) -> tuple[Metric, ...]:
    """The paper's columns; `features` decides what the Fréchet distance is called."""
    return (
        Metric("L1", "%", "lower", 3, _mean("l1"), "L1"),
        Metric(frechet_name(features), "", "lower", 3, lambda b: b.distances.frechet, "FID"),
        Metric("PSNR", "dB", "higher", 3, _mean("psnr"), "PSNR"),
        Metric("SSIM", "", "higher", 3, _mean("ssim"), "SSIM"),
    )


def extended_metrics(features: str) -> tuple[Metric, ...]:
    """What stands beside Table 1, never inside it."""
    return (
        Metric("hole L1", "%", "lower", 3, _mean("hole_l1")),
        Metric("hole PSNR", "dB", "higher", 3, _mean("hole_psnr")),
        Metric("raw L1", "%", "lower", 3, _mean("raw_l1")),
        Metric("raw PSNR", "dB", "higher", 3, _mean("raw_psnr")),
        Metric("raw SSIM", "", "higher", 3, _mean("raw_ssim")),
        Metric(kernel_name(features), "", "lower", 4, lambda b: b.distances.kernel),
    )


def _mean(metric: str) -> Callable[[BinSummary], Estimate]:
    return lambda summary: summary.means[metric]


def build_table(
    metrics: tuple[Metric, ...],
    *,
    bins: Sequence[str],
    datasets: Mapping[str, Dataset],
    methods: Mapping[str, str],
    run: Collection[str],
    summaries: Summaries,
    published: Published,
) -> Table:
    """Every cell: ours, or the reason why there is none, and the published value.

    Args:
        metrics: groups of columns.
        bins: of hole ratio, in order.
        datasets: of the profile.
        methods: of the protocol: name → title, in order.
        run: those of the profile.
        summaries: the scores; what is missing becomes a blank.
        published: the paper's values.
    """
    cells = []
    for (dataset, entry), method in product(datasets.items(), methods):
        for metric, bin_ in product(metrics, bins):
            cell = Cell(dataset, entry.published_as, method, metric.name, bin_)
            if metric.published is not None:
                value = published.get((entry.published_as, method, metric.published, bin_))
                cell = replace(cell, published_metric=metric.published, published=value)
            summary = summaries.get((dataset, method))
            if method not in run:
                cell = replace(cell, reason=NOT_IN_PROFILE)
            elif summary is None:
                cell = replace(cell, reason=NOT_RUN)
            else:
                cell = _filled(cell, metric.read(summary.bins[bin_]))
            cells.append(cell)
    return mark_best(Table(metrics, tuple(bins), datasets, methods, tuple(cells)))


def _filled(cell: Cell, estimate: Estimate) -> Cell:
    return replace(
        cell,
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        n=estimate.n,
        reason=NOTHING_FINITE if estimate.value is None else None,
    )


def check_summaries(summaries: Summaries, *, bins: Sequence[str], features: str, ssim: str) -> None:
    """Refuse to set values beside each other that were computed in different ways.

    Raises:
        UserError: other bins, features or SSIM than the configuration's, or methods that were
            scored on different numbers of images.
    """
    images: dict[str, int] = {}
    for (dataset, method), summary in summaries.items():
        names = {of_bin.distances.frechet_name for of_bin in summary.bins.values()}
        for what, found, expected in (
            ("bins", list(summary.bins), list(bins)),
            ("distance", sorted(names), [frechet_name(features)]),
            ("SSIM", summary.ssim, ssim),
            ("images", summary.images, images.setdefault(dataset, summary.images)),
        ):
            if found != expected:
                raise UserError(
                    f"the scores of {method} on {dataset}: {what}: expected {expected}, found "
                    f"{found}; run the evaluate stage again for all methods"
                )
