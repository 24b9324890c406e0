"""Defer SIGTERM and Ctrl-C to the end of a training step.

Only between two steps is the state one that an uninterrupted training also reaches. In the middle
of a step, the discriminator may have been updated and the generator not.
"""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

from mdrnets.runtime.distributed import all_reduce_max

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class DeferredSignals:
    """Within the context, the first SIGTERM or SIGINT is stored and later ones are ignored.

    Attributes:
        received: the pending signal, or None.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():  # no other may set handlers
            for number in SIGNALS:
                self._previous[number] = signal.signal(number, self._store)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.raise_pending()  # a signal that arrived after the last step
        else:
            self._restore()

    def pending_on_any_rank(self) -> bool:
        """Whether a signal is pending on any rank; if so, it becomes pending on all ranks.

        A signal that arrives during this call is known to this rank only; the next call shares it.
        """
        number = all_reduce_max(self.received or 0)
        if number:
            self.received = number
        return number > 0

    def raise_pending(self) -> None:
        """Restore the handlers and send the pending signal again, which usually raises."""
        self._restore()
        received, self.received = self.received, None
        if received is not None:
            signal.raise_signal(received)

    def _store(self, number: int, frame: FrameType | None) -> None:
        if self.received is None:
            self.received = number

    def _restore(self) -> None:
        while self._previous:
            signal.signal(*self._previous.popitem())
