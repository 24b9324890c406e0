"""One execution of a stage: what its body works with.

Import-light, so that a stage's `--help` is fast.
"""

import argparse
import logging
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sized
from typing import TYPE_CHECKING, TypeVar

from mdrnets.errors import UserError

if TYPE_CHECKING:
    from mdrnets.dag.pipeline import Job, Pipeline

LINE_EVERY = 10.0
"""Seconds between two lines of progress in a log."""
STREAMED_PROGRAM = "train"
"""The program whose curves are sent while it runs, and which resumes what was interrupted."""
SENDING_GROUP = "report"
"""The group of the workflow's last stages: they send what the others recorded."""

logger = logging.getLogger(__name__)
Item = TypeVar("Item")


class StageRun:
    """One execution of a stage.

    Attributes:
        config: protocol and profile.
        layout: where the profile's files lie.
        job: its entry in the table of stages.
        stage: the program, `NAME` of `stages.NAME`; for what `stages.render` makes, its name.
        wildcards: the arguments of the program by name, for example `{"dataset": "rendered_a"}`.
        options: the options of the command line.
    """

    def __init__(
        self,
        *,
        pipeline: "Pipeline",
        job: "Job",
        stage: str,
        wildcards: Mapping[str, str],
        options: argparse.Namespace,
    ) -> None:
        from mdrnets.tracking.recorder import RunRecorder
        from mdrnets.tracking.stream import Stream

        self.config = pipeline.config
        self.layout = pipeline.layout
        self.job = job
        self.stage = stage
        self.wildcards = dict(wildcards)
        self.options = options
        streamed = job.stage.program == STREAMED_PROGRAM
        self._recorder = RunRecorder(
            pipeline=pipeline, stage=stage, wildcards=wildcards, job=job, resumes=streamed
        )
        self._stream = Stream(self._recorder) if streamed else None

    def check_inputs(self) -> None:
        """Refuse inputs that were changed since their jobs made them, see `RunRecorder`."""
        self._recorder.check_inputs()

    def progress(
        self, items: Iterable[Item], *, total: int | None = None, label: str
    ) -> Iterator[Item]:
        """Iterate and show the progress: a bar on a terminal, now and then a line in a log.

        Args:
            items: what to iterate over.
            total: number of items; by default their `len()`, where they have one.
            label: what is done to them.
        """
        if total is None and isinstance(items, Sized):
            total = len(items)
        if sys.stderr.isatty():
            from tqdm import tqdm

            yield from tqdm(items, total=total, desc=label, dynamic_ncols=True)
        else:
            yield from _log_progress(items, total, label)

    def log_metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to the execution's curves."""
        self._recorder.add_point(step, values)
        if self._stream is not None:
            self._stream.offer()

    def note(self, key: str, value: bool | int | float | str) -> None:
        """Add a measurement (seconds, parameters, images per second) to the execution's record."""
        self._recorder.note(key, value)

    def end(self, error: BaseException | None) -> None:
        """Complete the record, and send records and models if this is one of the last stages.

        Never fails: tracking must not cost a finished result.

        Args:
            error: what ended the execution, or None.
        """
        from mdrnets.exchange.logged_models import send_all
        from mdrnets.tracking.mlflow_store import TrackingError
        from mdrnets.tracking.stream import retry_hint

        try:
            self._recorder.end(error)
        except (OSError, UserError) as failure:  # such as a full disk
            logger.warning("tracking: the record could not be written: %s", failure)
        if self._stream is not None:
            self._stream.close()
        if self.job.stage.group == SENDING_GROUP:
            try:
                send_all(self.config)
            except (OSError, TrackingError, UserError) as failure:
                logger.warning(retry_hint(failure, self.config.name))


def _log_progress(items: Iterable[Item], total: int | None, label: str) -> Iterator[Item]:
    begin = last = time.monotonic()
    count = 0
    for item in items:
        yield item
        count += 1
        now = time.monotonic()
        if now - last >= LINE_EVERY and count != total:
            share = f" of {total} ({100 * count // total} %)" if total else ""
            logger.info("%s: %d%s, %.0f s", label, count, share, now - begin)
            last = now
    logger.info("%s: %d done, %.1f s", label, count, time.monotonic() - begin)
