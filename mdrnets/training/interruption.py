"""SIGTERM and Ctrl-C wait for the end of a training step.

Only between two steps is the state one that a training which was never interrupted passes
through; in the middle the discriminator may have learned what the generator has not.
"""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

import torch

from mdrnets.runtime.distributed import all_reduce_max

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class DeferredSignals:
    """While the context lasts, a first SIGTERM or SIGINT is only noted, and more are ignored.

    Attributes:
        received: the signal that waits, or None.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():  # else Python forbids it
            for number in SIGNALS:
                self._previous[number] = signal.signal(number, self._hold)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.deliver()  # one that came after the last step
        else:
            self._restore()

    def shared(self, device: torch.device) -> bool:
        """Whether a signal waits on any rank of the training; then it waits on all.

        One that comes meanwhile is known to this rank alone, and counts the next time.
        """
        agreed = all_reduce_max(self.received or 0, device)
        if agreed:
            self.received = agreed
        return agreed > 0

    def deliver(self) -> None:
        """Let the waiting signal do what it would have done; as a rule this raises."""
        self._restore()
        received, self.received = self.received, None
        if received is not None:
            signal.raise_signal(received)

    def _hold(self, number: int, frame: FrameType | None) -> None:
        if self.received is None:
            self.received = number

    def _restore(self) -> None:
        while self._previous:
            signal.signal(*self._previous.popitem())
