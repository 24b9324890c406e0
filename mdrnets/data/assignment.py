"""How holes are assigned to images in each bin of Table 1.

The paper does not specify it. Here, in every bin, each test image gets its own hole, drawn by seed
without replacement from the test holes of the bin, independently of other bins and data sets.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mdrnets.data.shuffling import shuffle_by_hash
from mdrnets.errors import UserError
from mdrnets.files.tables import read_rows

Row = Mapping[str, str]


@dataclass(frozen=True)
class Pair:
    """An image and its hole in a bin.

    Attributes:
        image: name of the image.
        image_row: row in the packed images.
        bin: bin of Table 1, for example `1-20`.
        hole: name of the hole.
        hole_row: row in the packed holes.
        ratio: hole pixels / all pixels, at the packed size.
        role: `test`; or `validation`, for choices that must not depend on test images.
    """

    image: str
    image_row: int
    bin: str
    hole: str
    hole_row: int
    ratio: float
    role: str


def assign(
    split: Sequence[Row],
    hole_split: Sequence[Row],
    holes: np.ndarray,
    *,
    bins: Mapping[str, Sequence[int]],
    seed: int,
    dataset: str,
) -> list[Pair]:
    """Pair every test image with a test hole in every bin, and the same for validation.

    If a bin has fewer validation holes than images, only the first validation images are paired,
    the same ones in all bins.

    Args:
        split: table of the images (id, role, …), in the order of the packed images.
        hole_split: table of the holes (id, step, role, …), in the order of `holes`.
        holes: bool N×H×W, True = hole.
        bins: name → 10 % steps of the bin.
        seed: seed of the draw.
        dataset: name of the data set, which the draw depends on.

    Returns:
        First the pairs for test, then those for validation; each sorted by bin, then in the order
        of `split`.

    Raises:
        UserError: a bin has fewer test holes than there are test images.
    """
    pairs = []
    for role in ("test", "validation"):
        images = [(row["id"], at) for at, row in enumerate(split) if row["role"] == role]
        candidates = {name: _candidates(hole_split, role, steps) for name, steps in bins.items()}
        if role == "test":
            _check_enough(candidates, len(images), dataset)
        count = min(len(images), *(len(rows) for rows in candidates.values()))
        for name, rows in candidates.items():
            drawn = shuffle_by_hash(rows, seed, dataset, name)[:count]
            for (image, image_row), hole in zip(images[:count], drawn, strict=True):
                ratio = float(np.mean(holes[rows[hole]]))
                pairs.append(Pair(image, image_row, name, hole, rows[hole], ratio, role))
    return pairs


def _candidates(hole_split: Sequence[Row], role: str, steps: Sequence[int]) -> dict[str, int]:
    """Return name → row of the holes of a role in these steps."""
    return {
        row["id"]: at
        for at, row in enumerate(hole_split)
        if row["role"] == role and int(row["step"]) in steps
    }


def _check_enough(candidates: Mapping[str, Mapping[str, int]], images: int, dataset: str) -> None:
    for name, rows in candidates.items():
        if len(rows) < images:
            raise UserError(
                f"data set {dataset}, bin {name}: found {len(rows)} test holes, expected at least "
                f"one for each of {images} test images; increase holes.test, or use fewer test "
                "images"
            )


def read_assignment(path: Path, *, role: str = "test") -> list[Pair]:
    """Return the pairs of one role, in the order of `assign`.

    Raises:
        UserError: the table is missing or damaged.
    """
    return [pair for pair in read_rows(path, Pair) if pair.role == role]


def select(
    pairs: Sequence[Pair], images: np.ndarray, holes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The image and the hole of each pair, from all packed ones."""
    return images[[pair.image_row for pair in pairs]], holes[[pair.hole_row for pair in pairs]]


def by_bin(pairs: Sequence[Pair], bins: Iterable[str]) -> dict[str, list[Pair]]:
    """Group pairs by bin, in the order of `bins`.

    Raises:
        UserError: the bins do not have the same images in the same order.
    """
    grouped = {name: [pair for pair in pairs if pair.bin == name] for name in bins}
    orders = {tuple(pair.image_row for pair in group) for group in grouped.values()}
    if len(orders) != 1 or not all(orders):
        raise UserError(
            "the assignment of holes: expected the same images in each of the bins "
            f"{', '.join(grouped)}; run the masks stage again"
        )
    return grouped
