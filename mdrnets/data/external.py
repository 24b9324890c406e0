"""Read completions that were made by other software, for example with authors' own weights.

A folder or zip archive contains `BIN/IMAGE.png` (or .jpg, .webp) for every bin and every test image
of a data set, at the image size of the profile. Pixels outside of the hole are not used.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from mdrnets.data.assignment import Pair
from mdrnets.data.bad_files import read_each, require_none
from mdrnets.data.decoding import decode_image
from mdrnets.data.download.members import SUFFIXES, find_problem, list_members, open_files
from mdrnets.errors import UserError, list_names


def read_completions(
    path: Path, bins: Mapping[str, Sequence[Pair]], *, size: int
) -> Iterator[np.ndarray]:
    """Yield the completions of each bin in the order of its pairs, uint8 H×W×3.

    Raises:
        UserError: the folder or archive does not exist, or images are missing, unexpected,
            unreadable or of another size; counts them all and names the first ten.
    """
    if not path.exists():
        raise UserError(
            f"{path}: folder or archive of completions not found; put it there, or correct "
            "the path (in params.yaml: `completions`)"
        )
    members = _index_by_stem(path)
    expected = {f"{name}/{pair.image}": None for name, pairs in bins.items() for pair in pairs}
    for problem, names in (
        ("missing", expected.keys() - members.keys()),
        ("unexpected", members.keys() - expected.keys()),
    ):
        if names:
            raise UserError(
                f"{path}: {len(names)} {problem} images ({list_names(sorted(names))}), expected "
                f"BIN/IMAGE.png for each of the bins {', '.join(bins)} and each test image; add or "
                "remove them"
            )
    with open_files(path, remedy="replace it") as read_file:

        def read(key: str) -> np.ndarray:
            where = f"{path}: {members[key]}"
            image = decode_image(read_file(members[key]), where)
            height, width = image.shape[:2]
            if (height, width) != (size, size):
                raise UserError(
                    f"{where} has {width}×{height} pixels, expected {size}×{size}; replace it"
                )
            return image

        yield from read_each(expected, read, where=path)


def _index_by_stem(path: Path) -> dict[str, str]:
    """Return path without suffix → path, inside of the folder or archive, for each image."""
    stems: dict[str, str] = {}
    problems = []
    members = [member for member in list_members(path, recursive=True) if not member.is_ignored]
    for member in sorted(members, key=lambda each: each.name):
        if problem := find_problem(member):
            problems.append(f"{path}: {member.name!r} {problem}")
        elif PurePosixPath(member.name).suffix.lower() in SUFFIXES:
            stem = PurePosixPath(member.name).with_suffix("").as_posix()
            if stem in stems:
                problems.append(
                    f"{path}: {stems[stem]} and {member.name} are the same image; remove one"
                )
            stems[stem] = member.name
    require_none(problems, where=path, total=len(members))
    return stems
