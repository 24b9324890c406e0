"""Send the curves of a training while it runs, so that `mlflow ui` shows them.

It never stops a training: after the first problem it logs a warning and sends nothing more;
`sync.py` sends the rest later.
"""

import logging
import time
from collections.abc import Callable

from mdrnets.errors import UserError
from mdrnets.tracking.mlflow_store import TrackingError, open_store
from mdrnets.tracking.recorder import RunRecorder
from mdrnets.tracking.sync import open_run, send, send_points

logger = logging.getLogger(__name__)

SEND_EVERY = 5.0
"""Seconds between two batches; a shorter training never imports MLflow."""


class Stream:
    """Sends the curves of one execution."""

    def __init__(self, recorder: RunRecorder) -> None:
        self.recorder = recorder
        self._run_id: str | None = None
        self._offset = 0  # bytes of the curves that were sent
        self._last_batch = time.monotonic()
        self._working = True

    def offer(self) -> None:
        """Send the new points, if the last batch is old enough."""
        if self._working and time.monotonic() - self._last_batch >= SEND_EVERY:
            self._try(self._send)
            self._last_batch = time.monotonic()

    def close(self) -> None:
        """Complete the run after the recorder has ended; without a run, leave it to `sync`."""
        if self._working and self._run_id is not None:
            self._try(self._complete)

    def _send(self) -> None:
        recorder = self.recorder
        with open_store(recorder.record.profile) as store:
            if self._run_id is None:
                self._run_id = open_run(store, recorder.records, recorder.record)
            self._offset = send_points(store, self._run_id, recorder.curves, self._offset)

    def _complete(self) -> None:
        with open_store(self.recorder.record.profile) as store:
            send(store, self.recorder.records, self.recorder.record)

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (TrackingError, UserError) as error:
            self._working = False
            logger.warning("%s", retry_hint(error, self.recorder.record.profile))


def retry_hint(error: Exception, profile: str) -> str:
    """The message if records cannot be sent."""
    return (
        f"tracking: {error}; the records are kept; run `mdrnets sync --profile {profile}` to send "
        "them later"
    )
