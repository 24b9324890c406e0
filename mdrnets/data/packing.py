"""Decode and resize once: archives become arrays that training maps into memory.

Images by Lanczos, as CelebA-HQ and FFHQ are commonly scaled down; label maps and holes by nearest
neighbour, since there is nothing between two classes.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image

from mdrnets.config.data import Polarity, TrainingHoles
from mdrnets.data.archive import (
    Archive,
    decode_hole,
    decode_image,
    decode_labels,
    image_size,
)
from mdrnets.data.classes import CLASSES, from_celebamask
from mdrnets.data.download.disk_space import require_space
from mdrnets.data.label_parts import Parts, painted, parts_by_image
from mdrnets.data.progress import Progress, silent
from mdrnets.data.resizing import check_square, resized
from mdrnets.data.training_holes import read_training_hole
from mdrnets.errors import UserError
from mdrnets.files import atomic_write

TOLERANCE = 0.01
"""Of the area: files on a step's edge are off by .0022 after scaling 512² to 256²."""


def pack_images(
    path: Path, faces: Archive, ids: Sequence[str], *, size: int, progress: Progress = silent
) -> None:
    """Write uint8 N×size×size×3, one image an id.

    Raises:
        UserError: a file is unreadable, not RGB, not square, or smaller than `size`.
    """
    rows = (_image(faces, stem, size) for stem in progress(ids, total=len(ids), label="images"))
    _write(path, rows, shape=(len(ids), size, size, 3), dtype=np.uint8)


def pack_labels(
    path: Path,
    labels: Archive,
    faces: Archive,
    ids: Sequence[str],
    *,
    classes: str,
    size: int,
    progress: Progress = silent,
) -> None:
    """Write uint8 N×size×size of ids 0…13, one label map an id.

    Args:
        path: to write.
        labels: the files, by the names of their images; of `celebamask_parts`, by their numbers.
        faces: the images.
        ids: the images that have label maps.
        classes: see `mdrnets.config.data.Labels`.
        size: of the packed maps.
        progress: shows how far it is.

    Raises:
        UserError: a file is unreadable, of another size than its image (parts: not square, or
            smaller than `size`), or has an unknown class.
    """
    stems = progress(ids, total=len(ids), label="label maps")
    if classes == "celebamask_parts":
        images = parts_by_image(labels)
        if absent := [stem for stem in ids if int(stem) not in images]:
            raise UserError(f"{labels.path} has no part of {absent[0]}; run the split stage again")
        rows = (_painted(labels, images[int(stem)], stem, size) for stem in stems)
    else:
        rows = (_labels(labels, faces, stem, classes, size) for stem in stems)
    _write(path, rows, shape=(len(ids), size, size), dtype=np.uint8)


def pack_holes(
    path: Path,
    holes: Archive,
    steps: Sequence[tuple[str, int]],
    *,
    size: int,
    polarity: Polarity = "white_is_hole",
    training: tuple[Archive, TrainingHoles, Sequence[str]] | None = None,
    progress: Progress = silent,
) -> None:
    """Write bool N×size×size, True = hole, one mask an (id, step), then those for training alone.

    Args:
        path: to write.
        holes: masks whose step is known.
        steps: their ids and steps.
        size: of the packed masks.
        polarity: what white means in them.
        training: an archive of other masks, what they are, and their ids.
        progress: shows how far it is.

    Raises:
        UserError: a file is unreadable, not square, smaller than `size`, or its area does not
            belong to its step.
    """
    rows = (
        _hole(holes, stem, step, size, polarity)
        for stem, step in progress(steps, total=len(steps), label="holes")
    )
    others: Iterable[np.ndarray] = ()
    ids: Sequence[str] = ()
    if training is not None:
        archive, settings, ids = training
        others = (
            read_training_hole(archive, stem, settings, size=size)
            for stem in progress(ids, total=len(ids), label="training masks")
        )
    shape = (len(steps) + len(ids), size, size)
    _write(path, chain(rows, others), shape=shape, dtype=np.bool_)


def _image(faces: Archive, stem: str, size: int) -> np.ndarray:
    image = decode_image(faces.read(stem), faces.where(stem))
    check_square(image, size, faces.where(stem))
    return resized(image, size, Image.Resampling.LANCZOS)


def _labels(labels: Archive, faces: Archive, stem: str, classes: str, size: int) -> np.ndarray:
    where = labels.where(stem)
    found = decode_labels(labels.read(stem), where)
    expected = image_size(faces.read(stem), faces.where(stem))
    if found.shape != expected:
        raise UserError(
            f"{where} is of {found.shape[0]}×{found.shape[1]} pixels and its image of "
            f"{expected[0]}×{expected[1]}; scale one of them, label maps by nearest neighbour"
        )
    check_square(found, size, where)
    if classes == "celebamask19":
        try:
            found = from_celebamask(found)
        except UserError as error:
            raise UserError(f"{where}: {error}") from None
    elif (largest := int(found.max())) >= len(CLASSES):
        raise UserError(
            f"{where} has the class id {largest}, expected 0…{len(CLASSES) - 1}; correct the "
            "file, or `classes` of the data set's labels"
        )
    return resized(found, size, Image.Resampling.NEAREST)


def _painted(labels: Archive, parts: Parts, stem: str, size: int) -> np.ndarray:
    ids = painted(labels, parts)
    check_square(ids, size, f"{labels.path}: the parts of {stem}")
    return resized(from_celebamask(ids), size, Image.Resampling.NEAREST)


def _hole(holes: Archive, stem: str, step: int, size: int, polarity: Polarity) -> np.ndarray:
    where = holes.where(stem)
    hole = decode_hole(holes.read(stem), where)
    if polarity == "white_is_valid":
        hole = ~hole
    check_square(hole, size, where)
    if not hole.any() or hole.all():
        raise UserError(
            f"{where} is all {'hole' if hole.any() else 'valid'}, expected a hole in a part of "
            "the image; remove it"
        )
    area = float(hole.mean())
    if not _fits(area, step):
        message = (
            f"{where} is a hole of {100 * area:.1f} % of the area, expected "
            f"{10 * (step - 1)} to {10 * step} % by its number"
        )
        if _fits(1 - area, step):
            raise UserError(
                f"{message}; its complement would fit, so its polarity may be inverted: white "
                f"must be what `holes.polarity` says ({polarity})"
            )
        raise UserError(f"{message}; remove it, or correct holes.per_step")
    return resized(hole.astype(np.uint8), size, Image.Resampling.NEAREST).astype(bool)


def _fits(area: float, step: int) -> bool:
    return (step - 1) / 10 - TOLERANCE <= area <= step / 10 + TOLERANCE


def _write(
    path: Path, rows: Iterable[np.ndarray], *, shape: tuple[int, ...], dtype: type[np.generic]
) -> None:
    """Write an .npy file row by row.

    Not through a memory map: a full disk would end the process without a word.
    """
    require_space(path, int(np.prod(shape)) * np.dtype(dtype).itemsize)
    header = {
        "descr": np.lib.format.dtype_to_descr(np.dtype(dtype)),
        "fortran_order": False,
        "shape": shape,
    }
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for row in rows:
            file.write(np.ascontiguousarray(row, dtype=dtype).tobytes())
