"""The packed arrays of a data set, memory-mapped, and the rows that are for training.

Nothing is loaded in advance: 70,000 images at 256² are 13 GB, and a batch needs eight images.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mdrnets.errors import UserError
from mdrnets.files.arrays import map_array
from mdrnets.files.tables import read_table
from mdrnets.layout import Layout

SPLIT_COLUMNS = ("id", "role", "labelled", "sha256")
HOLE_SPLIT_COLUMNS = ("id", "step", "role", "sha256")
REMEDY = "run the pack stage"


@dataclass(frozen=True)
class TrainingData:
    """All images and holes of a data set, and the rows that are for training.

    Index the arrays with the rows: `data.images[data.image_rows[k]]` is the k-th training image;
    `data.images[data.labelled_rows[k]]` is the k-th labelled one, and its label map is
    `data.labels[data.label_rows[k]]`.

    Attributes:
        images: uint8 N×H×W×3, RGB, memory-mapped, all roles.
        image_rows: int64 rows of the training images.
        labels: uint8 L×H×W, ids 0…13, memory-mapped, all roles; None: no label maps.
        labelled_rows: int64 rows into `images`: the training images that have a label map.
        label_rows: int64 rows into `labels`, as many as `labelled_rows`.
        holes: bool N×H×W, True = hole, memory-mapped, all roles.
        hole_rows: int64 rows of the training holes.
    """

    images: np.ndarray
    image_rows: np.ndarray
    labels: np.ndarray | None
    labelled_rows: np.ndarray
    label_rows: np.ndarray
    holes: np.ndarray
    hole_rows: np.ndarray


def open_label_maps(layout: Layout, dataset: str) -> tuple[np.ndarray, np.ndarray]:
    """Open the label maps of a data set.

    Returns:
        The maps, uint8 L×H×W, one for each labelled image, and for each image the row of its map,
        −1 without one.

    Raises:
        UserError: a file is missing or unreadable, or they have different lengths.
    """
    table = layout.split(dataset)
    labelled = np.array([row["labelled"] == "1" for row in read_table(table, SPLIT_COLUMNS)])
    maps = open_array(layout.labels(dataset), dtype="uint8", rows=int(labelled.sum()), table=table)
    return maps, np.where(labelled, np.cumsum(labelled) - 1, -1)


def load_training_data(layout: Layout, dataset: str, *, labels: bool) -> TrainingData:
    """Open a data set for training, with or without its label maps.

    Raises:
        UserError: a file is missing or unreadable, a table and its array have different lengths,
            or no image or no hole is for training.
    """
    table, hole_table = layout.split(dataset), layout.hole_split()
    split = read_table(table, SPLIT_COLUMNS)
    images = open_array(layout.images(dataset), dtype="uint8", rows=len(split), table=table)
    training = np.array([row["role"] == "train" for row in split], dtype=bool)

    maps = None
    labelled_rows = label_rows = np.zeros(0, dtype=np.int64)
    if labels:
        maps, map_rows = open_label_maps(layout, dataset)
        labelled_rows = np.flatnonzero((map_rows >= 0) & training)
        label_rows = map_rows[labelled_rows]

    hole_split = read_table(hole_table, HOLE_SPLIT_COLUMNS)
    holes = open_array(layout.holes(), dtype="bool", rows=len(hole_split), table=hole_table)
    hole_rows = np.flatnonzero([row["role"] == "train" for row in hole_split])

    if not training.any():
        raise UserError(f"{table}: no image has the role train; check the profile's split")
    if not hole_rows.size:
        raise UserError(f"{hole_table}: no hole has the role train; check the profile's holes")
    if images.shape[1:3] != holes.shape[1:3]:
        raise UserError(
            f"{layout.images(dataset)} has {_size(images)} pixels and {layout.holes()} has "
            f"{_size(holes)}; pack both again with the same image_size"
        )
    return TrainingData(
        images=images,
        image_rows=np.flatnonzero(training),
        labels=maps,
        labelled_rows=labelled_rows,
        label_rows=label_rows,
        holes=holes,
        hole_rows=hole_rows,
    )


def map_images(layout: Layout, dataset: str) -> np.ndarray:
    """Memory-map all images of a data set, uint8 N×H×W×3."""
    return map_array(layout.images(dataset), remedy=REMEDY, dtype="uint8", dimensions=4)


def map_holes(layout: Layout) -> np.ndarray:
    """Memory-map all holes, bool N×H×W, True = hole."""
    return map_array(layout.holes(), remedy=REMEDY, dtype="bool", dimensions=3)


def open_array(path: Path, *, dtype: str, rows: int, table: Path) -> np.ndarray:
    """Memory-map a packed array and check it against the table that names its rows.

    Raises:
        UserError: the file is missing or unreadable, or has another type or number of rows.
    """
    array = map_array(path, remedy=REMEDY, dtype=dtype)
    if len(array) != rows:
        raise UserError(
            f"{path}: found {len(array)} rows of {array.dtype}, expected {rows} of {dtype} by "
            f"{table}; run the pack stage again"
        )
    return array


def _size(array: np.ndarray) -> str:
    return f"{array.shape[1]}×{array.shape[2]}"
