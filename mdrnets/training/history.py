"""The history of a training: its mean losses in each logging interval.

The file holds no times, so that the same training gives the same bytes.
"""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mdrnets.files.tables import read_table
from mdrnets.files.text import unreadable_error

REMEDY = "train the network"


class HistoryRow(NamedTuple):
    """An interval of a training, as its file has it.

    Attributes:
        phase: name of the phase.
        step: the interval's last step, counted within the phase.
        values: loss terms and diagnostics that the interval has.
    """

    phase: str
    step: int
    values: dict[str, float]


class History:
    """Rows with `phase`, `step` and a column for each loss term and diagnostic.

    Attributes:
        rows: one for each closed interval.
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def add(self, term: str, value: float) -> None:
        """Add a value to the current interval. A term need not occur in every step."""
        self._sums[term] = self._sums.get(term, 0.0) + value
        self._counts[term] = self._counts.get(term, 0) + 1

    def close_interval(
        self, *, phase: str, step: int, diagnostics: Mapping[str, float]
    ) -> dict[str, float]:
        """Append a row and begin a new interval.

        Args:
            phase: name of the current phase.
            step: last step of the interval, counted within the phase.
            diagnostics: current values, which are not averaged.

        Returns:
            The row without phase and step.
        """
        values = {term: total / self._counts[term] for term, total in self._sums.items()}
        values |= diagnostics
        self.rows.append({"phase": phase, "step": step} | values)
        self._sums, self._counts = {}, {}
        return values

    def to_csv(self) -> str:
        """All rows; columns in the order of their first appearance, absent values empty."""
        columns = dict.fromkeys(["phase", "step"])
        for row in self.rows:
            columns |= dict.fromkeys(row)
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return text.getvalue()

    def state_dict(self) -> dict[str, Any]:
        """Plain data, including the unfinished interval."""
        return {"rows": self.rows, "sums": self._sums, "counts": self._counts}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.rows = list(state["rows"])
        self._sums, self._counts = dict(state["sums"]), dict(state["counts"])


def read_history_rows(path: Path) -> list[HistoryRow]:
    """Read what `History.to_csv` wrote.

    Raises:
        UserError: the file is missing or damaged.
    """
    table = read_table(path, remedy=REMEDY)
    try:
        return [
            HistoryRow(
                row.pop("phase"),
                int(row.pop("step")),
                {term: float(text) for term, text in row.items() if text},
            )
            for row in table
        ]
    except (KeyError, ValueError) as error:
        raise unreadable_error(path, error, kind="a training's history", remedy=REMEDY) from None
