"""The history of a training: its mean losses in each logging interval.

The file holds no times, so that the same training gives the same bytes.
"""

import csv
import io
from collections.abc import Mapping
from typing import Any


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
