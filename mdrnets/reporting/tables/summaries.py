"""The summaries that a table is built from: read, and checked to be comparable."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from mdrnets.config.load import Config
from mdrnets.errors import UserError
from mdrnets.evaluation.summary import Summary, load_summary, over_trainings
from mdrnets.layout import Layout
from mdrnets.metrics.names import frechet_name

logger = logging.getLogger(__name__)

Summaries = Mapping[tuple[str, str], Summary]
"""(data set, method) → its scores."""


def scored_methods(config: Config) -> list[str]:
    """The methods and variants of the profile, which the tables have as rows."""
    return [*config.profile.methods, *map(config.variant, config.profile.variants)]


def read_summaries(
    config: Config, layout: Layout, *, datasets: Iterable[str], methods: Iterable[str]
) -> Summaries:
    """Read the scores of all trainings of each method, and combine them.

    A method is left out where the scores of one of its trainings are missing.

    Raises:
        UserError: the scores are not comparable; see `check_summaries`.
    """
    protocol, features = config.protocol, config.profile.frechet
    rows = {(d, m): config.trainings(m) for d, m in product(datasets, methods)}
    paths = {(d, name): layout.summary(d, name) for (d, _), names in rows.items() for name in names}
    summaries = {key: load_summary(path) for key, path in paths.items() if path.is_file()}
    for dataset, name in paths:
        if (dataset, name) not in summaries:
            logger.warning("no scores of %s on %s; its row stays blank", name, dataset)
    check_summaries(summaries, bins=tuple(protocol.bins), features=features, ssim=protocol.ssim)
    return {
        (dataset, method): over_trainings([summaries[dataset, name] for name in trainings])
        for (dataset, method), trainings in rows.items()
        if all((dataset, name) in summaries for name in trainings)
    }


def check_summaries(summaries: Summaries, *, bins: Sequence[str], features: str, ssim: str) -> None:
    """Check that all values of a table were computed in the same way.

    Raises:
        UserError: other bins, features or SSIM than the configuration's, or methods that were
            scored on different numbers of images.
    """
    images: dict[str, int] = {}
    for (dataset, method), summary in summaries.items():
        names = {one_bin.distances.frechet_name for one_bin in summary.bins.values()}
        for what, value, expected in (
            ("bins", list(summary.bins), list(bins)),
            ("distance", sorted(names), [frechet_name(features)]),
            ("SSIM", summary.ssim, ssim),
            ("images", summary.images, images.setdefault(dataset, summary.images)),
        ):
            if value != expected:
                raise UserError(
                    f"the scores of {method} on {dataset}: {what}: expected {expected}, found "
                    f"{value}; run the evaluate stage again for all methods"
                )
