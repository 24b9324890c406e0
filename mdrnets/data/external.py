"""Read completions that were made by other software, for example with authors' own weights.

A folder or zip archive contains `BIN/IMAGE.png` (or .jpg, .webp) for every bin and every test image
of a data set, at the image size of the profile. Pixels outside of the hole are not used.
"""

import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from mdrnets.data.archive import decode_image
from mdrnets.data.assignment import Pair
from mdrnets.data.download.members import SUFFIXES
from mdrnets.errors import UserError

_MAX_NAMES = 5  # in an error message


def read_completions(
    path: Path, bins: Mapping[str, Sequence[Pair]], *, size: int
) -> Iterator[np.ndarray]:
    """Yield the completions of each bin in the order of its pairs, uint8 H×W×3.

    Raises:
        UserError: the folder or archive does not exist, or an image is missing, unexpected,
            unreadable or of another size.
    """
    members, read = _list_members(path)
    expected = {f"{name}/{pair.image}" for name, pairs in bins.items() for pair in pairs}
    for problem, names in (
        ("missing", expected - members.keys()),
        ("unexpected", members.keys() - expected),
    ):
        if names:
            examples = ", ".join([*sorted(names)[:_MAX_NAMES], "…"][: len(names)])
            raise UserError(
                f"{path}: {len(names)} {problem} images ({examples}), expected BIN/IMAGE.png for "
                f"each of the bins {', '.join(bins)} and each test image; add or remove them"
            )
    for name, pairs in bins.items():
        for pair in pairs:
            member = members[f"{name}/{pair.image}"]
            image = decode_image(read(member), f"{path}: {member}")
            if image.shape[:2] != (size, size):
                height, width = image.shape[:2]
                raise UserError(
                    f"{path}: {member} has {width}×{height} pixels, expected {size}×{size}; "
                    "replace it"
                )
            yield image


def _list_members(path: Path) -> tuple[dict[str, str], Callable[[str], bytes]]:
    """Return path without suffix → path for each image, and a function that reads a path."""
    if path.is_dir():
        names = [p.relative_to(path).as_posix() for p in sorted(path.rglob("*")) if p.is_file()]
        return _index_by_stem(path, names), lambda name: (path / name).read_bytes()
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise UserError(
            f"{path}: folder or archive of completions not found; put it there, or correct "
            "`completions` in params.yaml"
        ) from None
    except zipfile.BadZipFile:
        raise UserError(f"{path}: expected a folder or a zip archive; replace it") from None
    names = [name for name in archive.namelist() if not name.endswith("/")]
    return _index_by_stem(path, names), archive.read


def _index_by_stem(path: Path, names: Sequence[str]) -> dict[str, str]:
    stems: dict[str, str] = {}
    for name in names:
        if PurePosixPath(name).suffix.lower() not in SUFFIXES:
            continue
        stem = PurePosixPath(name).with_suffix("").as_posix()
        if stem in stems:
            raise UserError(f"{path}: {stems[stem]} and {name} are the same image; remove one")
        stems[stem] = name
    return stems
