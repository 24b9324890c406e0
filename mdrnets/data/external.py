"""Completions that were made elsewhere: by authors' own weights, or by a method that is not here.

A folder or a zip archive holds `BIN/IMAGE.png` (or .jpg, .webp) for every bin and every test image
of one data set, at the profile's image size. What lies outside the hole does not matter.
"""

import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from mdrnets.data.archive import decode_image
from mdrnets.data.assignment import Pair
from mdrnets.data.download.members import SUFFIXES
from mdrnets.errors import UserError

LISTED = 5  # names in an error


def read_completions(
    path: Path, bins: Mapping[str, Sequence[Pair]], *, size: int
) -> Iterator[np.ndarray]:
    """Yield each bin's completions in the order of its pairs, uint8 H×W×3.

    Raises:
        UserError: no such folder or archive; images that are missing, too many, unreadable or of
            another size, by name.
    """
    found, read = _members(path)
    wanted = {f"{name}/{pair.image}" for name, pairs in bins.items() for pair in pairs}
    for names, what in ((wanted - set(found), "missing"), (set(found) - wanted, "unexpected")):
        if names:
            listed = ", ".join(sorted(names)[:LISTED]) + (", …" if len(names) > LISTED else "")
            raise UserError(
                f"{path}: {len(names)} {what} images ({listed}); expected BIN/IMAGE.png for the "
                f"bins {', '.join(bins)} and every test image"
            )
    for name, pairs in bins.items():
        for pair in pairs:
            member = found[f"{name}/{pair.image}"]
            image = decode_image(read(member), f"{path}: {member}")
            if image.shape[:2] != (size, size):
                height, width = image.shape[:2]
                raise UserError(
                    f"{path}: {member} has {width}×{height} pixels, expected {size}×{size}"
                )
            yield image


def _members(path: Path) -> tuple[dict[str, str], Callable[[str], bytes]]:
    """Names without suffix → names, and a reader."""
    if path.is_dir():
        names = [p.relative_to(path).as_posix() for p in sorted(path.rglob("*")) if p.is_file()]
        return _by_stem(path, names), lambda name: (path / name).read_bytes()
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise UserError(
            f"{path}: there is no such folder or archive of completions; put it there, or correct "
            "`completions` in params.yaml"
        ) from None
    except zipfile.BadZipFile:
        raise UserError(f"{path}: neither a folder nor a readable zip archive") from None
    return _by_stem(path, [n for n in archive.namelist() if not n.endswith("/")]), archive.read


def _by_stem(path: Path, names: Sequence[str]) -> dict[str, str]:
    stems: dict[str, str] = {}
    for name in names:
        if PurePosixPath(name).suffix.lower() not in SUFFIXES:
            continue
        stem = PurePosixPath(name).with_suffix("").as_posix()
        if stem in stems:
            raise UserError(f"{path}: {stems[stem]} and {name} are the same image; remove one")
        stems[stem] = name
    return stems
