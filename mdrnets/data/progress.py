"""The interface by which long loops report progress, without knowing terminals or logs."""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class ProgressBar(Protocol):
    """Iterate over items and show how many are done; `StageRun.progress` is one."""

    def __call__(self, items: Iterable[T], /, *, total: int, label: str) -> Iterator[T]: ...


def no_progress_bar(items: Iterable[T], /, *, total: int, label: str) -> Iterator[T]:
    """Iterate over items and show nothing."""
    return iter(items)
