"""Which hole meets which image in each bin of Table 1.

The paper does not say. Ours: in every bin each test image gets a hole of its own, drawn by seed
without replacement from the bin's test holes; the draw knows no other bin and no other data set.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np

from mdrnets.data.shuffling import shuffled
from mdrnets.data.tables import read_table, write_table
from mdrnets.errors import UserError

Row = Mapping[str, str]


@dataclass(frozen=True)
class Pair:
    """An image and its hole in a bin.

    Attributes:
        image: its name.
        image_row: its position in the packed images.
        bin: of Table 1, for example `1-20`.
        hole: its name.
        hole_row: its position in the packed holes.
        ratio: hole pixels / all pixels, at the packed size.
        role: `test`; or `validation`, for choices that must not see the test images.
    """

    image: str
    image_row: int
    bin: str
    hole: str
    hole_row: int
    ratio: float
    role: str


COLUMNS = tuple(field.name for field in fields(Pair))


def assign(
    split: Sequence[Row],
    hole_split: Sequence[Row],
    holes: np.ndarray,
    *,
    bins: Mapping[str, Sequence[int]],
    seed: int,
    dataset: str,
) -> list[Pair]:
    """Pair every test image with a test hole in every bin, and validation images likewise.

    Of the validation images only the first are paired where a bin has fewer validation holes:
    the same images in all bins.

    Args:
        split: the images' table (id, role, …), in the order of the packed images.
        hole_split: the holes' table (id, step, role, …), in the order of `holes`.
        holes: bool N×H×W, True = hole.
        bins: name → its 10 % steps.
        seed: of the draw.
        dataset: name of the data set, part of the draw's key.

    Returns:
        Bin by bin, images in the order of `split`: first those for test, then for validation.

    Raises:
        UserError: a bin has fewer test holes than there are test images.
    """
    pairs = []
    for role in ("test", "validation"):
        images = [(row["id"], at) for at, row in enumerate(split) if row["role"] == role]
        candidates = {name: _candidates(hole_split, role, steps) for name, steps in bins.items()}
        if role == "test":
            _check_enough(candidates, len(images), dataset)
        count = min(len(images), *(len(holes_of_bin) for holes_of_bin in candidates.values()))
        for name, rows in candidates.items():
            drawn = shuffled(rows, seed, dataset, name)[:count]
            for (image, image_row), hole in zip(images[:count], drawn, strict=True):
                ratio = float(np.mean(holes[rows[hole]]))
                pairs.append(Pair(image, image_row, name, hole, rows[hole], ratio, role))
    return pairs


def _candidates(hole_split: Sequence[Row], role: str, steps: Sequence[int]) -> dict[str, int]:
    """The rows of a role's holes in these steps, by name."""
    return {
        row["id"]: at
        for at, row in enumerate(hole_split)
        if row["role"] == role and int(row["step"]) in steps
    }


def _check_enough(candidates: Mapping[str, Mapping[str, int]], images: int, dataset: str) -> None:
    for name, rows in candidates.items():
        if len(rows) < images:
            raise UserError(
                f"data set {dataset}, bin {name}: {images} test images need as many holes, there "
                f"are {len(rows)} test holes in its steps; raise holes.test, or take fewer test "
                "images"
            )


def write_assignment(path: Path, pairs: Sequence[Pair]) -> None:
    write_table(path, COLUMNS, (astuple(pair) for pair in pairs))


def read_assignment(path: Path, *, role: str = "test") -> list[Pair]:
    """The pairs of one role, in the order of `assign`.

    Raises:
        UserError: no such table, or not one of these.
    """
    return [
        Pair(
            image=row["image"],
            image_row=int(row["image_row"]),
            bin=row["bin"],
            hole=row["hole"],
            hole_row=int(row["hole_row"]),
            ratio=float(row["ratio"]),
            role=row["role"],
        )
        for row in read_table(path, COLUMNS)
        if row["role"] == role
    ]


def by_bin(pairs: Sequence[Pair], bins: Iterable[str]) -> dict[str, list[Pair]]:
    """The pairs of each bin, in the order of `bins`.

    Raises:
        UserError: the bins do not hold the same images in the same order.
    """
    grouped = {name: [pair for pair in pairs if pair.bin == name] for name in bins}
    orders = {tuple(pair.image_row for pair in group) for group in grouped.values()}
    if len(orders) != 1 or not all(orders):
        raise UserError(
            f"the assignment of holes: expected the same images in each of the bins "
            f"{', '.join(grouped)}; run the masks stage again"
        )
    return grouped
