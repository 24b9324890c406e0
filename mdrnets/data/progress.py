"""How a long loop of the library shows how far it is, without knowing of terminals and logs."""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Passes items on and shows their number; a stage's `run.progress` is one."""

    def __call__(self, items: Iterable[T], /, *, total: int, label: str) -> Iterator[T]: ...


def silent(items: Iterable[T], /, *, total: int, label: str) -> Iterator[T]:
    """Show nothing."""
    return iter(items)
