"""Show the progress of a training: a bar on a terminal, a line every few seconds in a log."""

import logging
import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Self

from mdrnets.training.loop import TrainingProgress

LINE_EVERY = 10.0
"""Seconds between two lines in a log."""
MAX_LOSSES = 4
"""Losses in a line; the history has all of them."""

logger = logging.getLogger(__name__)


class Display:
    """Shows the progress of each step."""

    def __init__(self, *, label: str) -> None:
        self.label = label
        self.values: Mapping[str, float] = {}
        self.last_line = time.monotonic()
        self.bar: Any = None  # created at the first step, on a terminal only

    def show(self, progress: TrainingProgress) -> None:
        self.values = progress.values or self.values
        if sys.stderr.isatty():
            self._advance_bar(progress)
        elif progress.step == progress.steps or time.monotonic() - self.last_line >= LINE_EVERY:
            logger.info("%s", self._line(progress))
            self.last_line = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Close the bar, so that the cursor moves below it."""
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
        losses = list(self.values.items())[:MAX_LOSSES]
        return ", ".join(f"{name} {value:.3g}" for name, value in losses)
