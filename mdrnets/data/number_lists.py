"""Lists of numbers, one a line, which name images of CelebA-HQ or FFHQ."""

import re
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TypeVar

from mdrnets.errors import UserError
from mdrnets.files.text import read_text

Item = TypeVar("Item")


def read_numbers(path: Path) -> frozenset[int]:
    """Read a list of numbers.

    Raises:
        UserError: the file is missing, empty, or has another line.
    """
    numbers = read_text(path, remedy="restore it, or correct `numbers` in the profile").split()
    for number in numbers or [""]:
        if not re.fullmatch("[0-9]{1,9}", number):
            raise UserError(f"{path}: found {number!r}, expected one number a line; correct it")
    return frozenset(map(int, numbers))


def select_numbers(
    items: Iterable[Item], numbers: Collection[int], *, name: Callable[[Item], str], where: Path
) -> list[Item]:
    """Return the items whose names begin with one of the numbers, as `00012_hair.png` with 12.

    Raises:
        UserError: a number has no item; error messages name `where`.
    """
    by_number = [(_leading_number(name(item)), item) for item in items]
    if missing := sorted({*numbers} - {number for number, _ in by_number}):
        raise UserError(
            f"{where}: no image for {len(missing):,} of {len(numbers):,} listed numbers, the first "
            f"is {missing[0]}; download it again, or correct `numbers` of the source in the profile"
        )
    return [item for number, item in by_number if number in numbers]


def _leading_number(name: str) -> int | None:
    match = re.match("[0-9]{1,9}(?![0-9A-Za-z])", name)
    return int(match[0]) if match else None
