"""Read the files of a verified archive."""

import re
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from mdrnets.errors import UserError
from mdrnets.files.archives import open_zip, read_member

REMEDY = "run the download stage"


def sort_stems(stems: Iterable[str]) -> list[str]:
    """Sort numbers by value (9 before 010), followed by other names in alphabetical order."""
    return sorted(stems, key=lambda stem: (not is_number(stem), _number(stem), stem))


def is_number(stem: str) -> bool:
    return re.fullmatch("[0-9]+", stem) is not None


class Archive:
    """A zip archive with flat names; a context manager.

    Attributes:
        path: of the archive.
        origin: the user's file or folder that it was copied from, which errors name.
        members: name without suffix → name of the member, in the order of `sort_stems`.
    """

    def __init__(self, path: Path, *, origin: Path | None = None) -> None:
        self.path = path
        self.origin = origin or path
        self._stack = ExitStack()
        self._zip = self._stack.enter_context(open_zip(path, remedy=REMEDY))
        names = {Path(name).stem: name for name in self._zip.namelist()}
        self.members = {stem: names[stem] for stem in sort_stems(names)}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def where(self, stem: str) -> str:
        """Origin and member, for error messages."""
        return f"{self.origin}: {self.members[stem]}"

    def check_same_members(self, ids: Iterable[str], table: Path) -> None:
        """Check that a table and the archive have the same members.

        Raises:
            UserError: a member is only in one of them.
        """
        if difference := sort_stems(set(ids) ^ set(self.members)):
            raise UserError(
                f"{table}: {difference[0]!r} is only in one of this table and {self.path}; "
                "run the split stage again"
            )

    def read(self, stem: str) -> bytes:
        """Return the bytes of a member.

        Raises:
            UserError: the member does not exist or is damaged.
        """
        if stem not in self.members:
            raise UserError(f"{self.path}: file {stem!r} not found; run the split stage again")
        return read_member(self._zip, self.members[stem], remedy=REMEDY)


def _number(stem: str) -> int:
    return int(stem) if is_number(stem) else 0
