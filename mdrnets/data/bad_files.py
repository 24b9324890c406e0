"""Report all bad files of an archive or folder at once, so that all can be fixed at once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from mdrnets.errors import MAX_NAMED, UserError

Item = TypeVar("Item")
Content = TypeVar("Content")


def read_each(
    items: Iterable[Item], read: Callable[[Item], Content], *, where: Path
) -> Iterator[Content]:
    """Yield what `read` returns for each item, up to the first bad one; then check all others.

    Args:
        items: such as names of files.
        read: reads the file of an item.
        where: the archive or folder, as the errors of `read` name it.

    Raises:
        UserError: `read` raised one for an item; counts all and names the first ten.
    """
    problems = []
    total = 0
    for item in items:
        total += 1
        try:
            content = read(item)
        except UserError as error:
            problems.append(str(error))
            continue
        if not problems:
            yield content
    require_none(problems, where=where, total=total)


def require_none(problems: Sequence[str], *, where: Path, total: int) -> None:
    """Check that there are no problems.

    Args:
        problems: sentences that begin with `where`, one for each bad file.
        where: the archive or folder.
        total: number of its files.

    Raises:
        UserError: there are some; names the only one, or counts them and names the first ten.
    """
    if not problems:
        return
    if len(problems) == 1:
        raise UserError(problems[0])
    lines = [problem.removeprefix(f"{where}: ") for problem in problems[:MAX_NAMED]]
    first = f", the first {MAX_NAMED}" if len(problems) > MAX_NAMED else ""
    listing = "".join(f"\n  {line}" for line in lines)
    raise UserError(
        f"{where}: {len(problems):,} of {total:,} files cannot be used{first}:{listing}"
    )
