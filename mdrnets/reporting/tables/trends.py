"""Whether the trainings were still improving when they ended."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mdrnets.files.tables import read_table, write_table
from mdrnets.reporting.loss_terms import MAIN_FAMILIES, find_family, is_coarse
from mdrnets.training.history import HistoryRow

CONFIDENCE = 0.95
MIN_POINTS = 5
"""Logged means in the second half of a phase; a line through fewer says nothing."""
COLUMNS = ("network", "dataset", "phase", "loss", "steps", "change %", "±", "still improving")
IMPROVING = "yes"


@dataclass(frozen=True)
class Trend:
    """A line fitted to the logarithm of a loss over the second half of a phase.

    Attributes:
        steps: of the phase.
        change: of the loss over that half, as a share of its value; negative: it falls.
        margin: half of the interval of `change`.
    """

    steps: int
    change: float
    margin: float

    @property
    def is_improving(self) -> bool:
        return self.change + self.margin < 0


def write_trends(
    path: Path,
    histories: Mapping[str, Mapping[str, Sequence[HistoryRow]]],
    titles: Mapping[str, str],
) -> None:
    """Write the trends of all trainings.

    Args:
        path: of the table.
        histories: network → data set → its history.
        titles: of the networks.
    """
    rows = [
        (
            titles[network],
            dataset,
            phase,
            term,
            trend.steps,
            f"{100 * trend.change:.1f}",
            f"{100 * trend.margin:.1f}",
            IMPROVING if trend.is_improving else "not shown",
        )
        for network, by_dataset in histories.items()
        for dataset, history in by_dataset.items()
        for phase, term, trend in find_trends(history)
    ]
    write_table(path, COLUMNS, rows)


def count_improving(path: Path) -> tuple[int, int]:
    """The number of losses in a table that were still improving, and of all.

    Raises:
        UserError: the table is missing or damaged.
    """
    rows = read_table(path, COLUMNS)
    return sum(row[COLUMNS[-1]] == IMPROVING for row in rows), len(rows)


def find_trends(history: Sequence[HistoryRow]) -> Iterator[tuple[str, str, Trend]]:
    """Phase, name and trend of each main loss of a training, in order."""
    for phase in dict.fromkeys(row.phase for row in history):
        rows = [row for row in history if row.phase == phase]
        for term in dict.fromkeys(term for row in rows for term in row.values):
            if find_family(term) in MAIN_FAMILIES and not is_coarse(term):
                points = [(row.step, row.values[term]) for row in rows if term in row.values]
                if trend := fit_trend(points):
                    yield phase, term, trend


def fit_trend(points: Sequence[tuple[int, float]]) -> Trend | None:
    """Fit a line over the second half of a phase.

    Args:
        points: steps, counted within the phase, and means of the loss.

    Returns:
        None: too few points, or a loss that is not positive.
    """
    from scipy.stats import linregress, t

    last = points[-1][0]
    half = [(step, value) for step, value in points if 2 * step > last]
    if len(half) < MIN_POINTS or any(value <= 0 for _, value in half):
        return None
    fit = linregress([step for step, _ in half], [math.log(value) for _, value in half])
    margin = float(t.ppf((1 + CONFIDENCE) / 2, len(half) - 2)) * fit.stderr * last / 2
    change = math.expm1(fit.slope * last / 2)
    return Trend(last, change, (1 + change) * margin)
