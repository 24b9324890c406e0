"""How a table of scores is built: every cell with our value and the published one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import product

from mdrnets.config.data import Dataset
from mdrnets.reporting.tables.cells import Cell, Metric, Table, mark_best
from mdrnets.reporting.tables.published import Published
from mdrnets.reporting.tables.summaries import Summaries

NOT_IN_PROFILE = "not run in this profile"
NOT_RUN = "not run"
NOTHING_FINITE = "infinite for every image"


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
    """Fill every cell with our value, or the reason for its absence, and the published value.

    Args:
        metrics: groups of columns.
        bins: of hole ratio, in order.
        datasets: of the profile.
        methods: rows, name → title, in order.
        run: methods that the profile runs.
        summaries: the scores; a method without them has blank cells.
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
                estimate = metric.read(summary.bins[bin_])
                reason = NOTHING_FINITE if estimate.value is None else None
                cell = replace(cell, **estimate.model_dump(exclude={"infinite"}), reason=reason)
            cells.append(cell)
    return mark_best(Table(metrics, tuple(bins), datasets, methods, tuple(cells)))
