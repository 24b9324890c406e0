"""Shows how far a training is: a bar on a terminal, now and then a line in a log."""

import sys
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Self

from mdrnets.training.loop import TrainingProgress

LINE_EVERY = 10.0
"""Seconds between two lines in a log."""
SHOWN = 4
"""How many of the losses fit into a line; the history has them all."""


class Display:
    """Takes each step's progress."""

    def __init__(self, *, label: str, say: Callable[[str], None]) -> None:
        """Args: say: prints a line."""
        self.label, self.say = label, say
        self.values: Mapping[str, float] = {}
        self.said = time.monotonic()
        self.bar: Any = None  # on a terminal, from the first step on

    def show(self, progress: TrainingProgress) -> None:
        self.values = progress.values or self.values
        if sys.stderr.isatty():
            self._advance_bar(progress)
        elif progress.step == progress.steps or time.monotonic() - self.said >= LINE_EVERY:
            self.say(self._line(progress))
            self.said = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the terminal's cursor below the bar."""
        if self.bar is not None:
            self.bar.close()

    def _advance_bar(self, progress: TrainingProgress) -> None:
        if self.bar is None:
            from tqdm import tqdm

            before = progress.step - 1
            self.bar = tqdm(
                total=progress.steps, initial=before, desc=self.label, dynamic_ncols=True
            )
        self.bar.set_postfix_str(f"{progress.phase}: {self._losses()}", refresh=False)
        self.bar.update()

    def _line(self, progress: TrainingProgress) -> str:
        left = timedelta(seconds=round(progress.seconds_left))
        return (
            f"{self.label}: step {progress.step} of {progress.steps} ({progress.phase}), "
            f"{progress.steps_per_second:.3g} steps/s, {left} left; {self._losses()}"
        )

    def _losses(self) -> str:
        shown = list(self.values.items())[:SHOWN]
        return ", ".join(f"{name} {value:.3g}" for name, value in shown)
