"""Sends the curves of a training while it runs, so that `mlflow ui` shows them.

It must never cost a training: with the first trouble it says so once and stops; `sync.py` sends
the rest later.
"""

import time
from collections.abc import Callable

from mdrnets.errors import UserError
from mdrnets.tracking.recorder import RunRecorder
from mdrnets.tracking.store import TrackingError, open_store
from mdrnets.tracking.sync import open_run, send, send_points

SEND_EVERY = 5.0
"""Seconds between two batches; a training shorter than that never imports MLflow."""


class Stream:
    """Follows the curves of one execution."""

    def __init__(self, journal: RunRecorder, *, say: Callable[[str], None]) -> None:
        """Args: say: prints a line."""
        self.journal = journal
        self.say = say
        self._run_id: str | None = None
        self._offset = 0  # bytes of the curves that were sent
        self._sent = time.monotonic()
        self._working = True

    def offer(self) -> None:
        """Send what is new, if it is time."""
        if self._working and time.monotonic() - self._sent >= SEND_EVERY:
            self._try(self._send)
            self._sent = time.monotonic()

    def close(self) -> None:
        """Complete the run, once the journal has ended; without a run, leave it all to `sync`."""
        if self._working and self._run_id is not None:
            self._try(self._complete)

    def _send(self) -> None:
        journal = self.journal
        with open_store(journal.record.profile) as store:
            if self._run_id is None:
                self._run_id = open_run(store, journal.records, journal.record)
            self._offset = send_points(store, self._run_id, journal.curves, self._offset)

    def _complete(self) -> None:
        with open_store(self.journal.record.profile) as store:
            send(store, self.journal.records, self.journal.record)

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (TrackingError, UserError) as error:
            self._working = False
            self.say(retry_hint(error))


def retry_hint(error: Exception) -> str:
    """What to tell when records cannot be sent."""
    return f"tracking: {error}; nothing is lost, `mdrnets sync` sends it later"
