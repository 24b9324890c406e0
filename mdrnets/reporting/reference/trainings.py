"""The scores of each training: what the means of several trainings in the tables are made of."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from mdrnets.config.load import Config
from mdrnets.evaluation.summary import load_summary
from mdrnets.files.tables import write_rows
from mdrnets.layout import Layout
from mdrnets.reporting.tables.metrics import all_metrics
from mdrnets.reporting.tables.summaries import scored_methods

TRAININGS = "trainings.csv"


@dataclass(frozen=True)
class TrainingScore:
    """A row: the mean over the images of one training, or its distance.

    Attributes:
        dataset, method, metric, bin: as in the tables.
        training: from 1.
        value: None: no image has a finite score.
    """

    dataset: str
    method: str
    training: int
    metric: str
    bin: str
    value: float | None


def write_trainings(path: Path, config: Config, layout: Layout) -> None:
    """Write the scores of all trainings of methods and variants that are here."""
    write_rows(path, TrainingScore, read_trainings(config, layout))


def read_trainings(config: Config, layout: Layout) -> Iterator[TrainingScore]:
    """The scores of all trainings of methods and variants that are here."""
    metrics = all_metrics(config.profile.frechet)
    for dataset, method in product(config.profile.datasets, scored_methods(config)):
        for number, name in enumerate(config.trainings(method), start=1):
            path = layout.summary(dataset, name)
            if not path.is_file():  # variants are scored on the first data set alone
                continue
            bins = load_summary(path).bins
            for metric, (bin_, scores) in product(metrics.values(), bins.items()):
                value = metric.read(scores).value
                yield TrainingScore(dataset, method, number, metric.name, bin_, value)
