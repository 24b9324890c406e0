"""Decode and resize the files of an archive once, into an array that training maps into memory.

Images are resized by Lanczos, as is common for CelebA-HQ and FFHQ; label maps and holes by nearest
neighbour, since classes cannot be interpolated.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image

from mdrnets.config.data import Polarity, TrainingHoles
from mdrnets.data.archive import Archive
from mdrnets.data.bad_files import read_each
from mdrnets.data.classes import CLASSES, merge_celebamask_classes
from mdrnets.data.decoding import decode_image, decode_labels, decode_mask, read_image_size
from mdrnets.data.download.disk_space import require_space
from mdrnets.data.duplicates import check_no_shared_pixels, warn_of_near_duplicates
from mdrnets.data.label_parts import Parts, group_by_image, paint_label_map
from mdrnets.data.progress import ProgressBar, no_progress_bar
from mdrnets.data.resizing import check_square, resize
from mdrnets.data.training_holes import PREFIX, read_training_hole
from mdrnets.errors import UserError
from mdrnets.files import atomic_write

AREA_TOLERANCE = 0.01
"""Allowed difference of a hole's area from its step; scaling 512² to 256² changes it by .0022."""


def pack_images(
    path: Path,
    faces: Archive,
    ids: Sequence[str],
    *,
    roles: Sequence[str],
    size: int,
    progress: ProgressBar = no_progress_bar,
) -> None:
    """Write uint8 N×size×size×3, one image for each id, and warn of images that look alike.

    Args:
        path: the file to write.
        faces: the images.
        ids: names of the images.
        roles: of the images.
        size: width and height of the packed images.
        progress: counts images.

    Raises:
        UserError: a file is unreadable, not RGB, not square, or smaller than `size`, or two images
            of different roles have the same pixels.
    """

    def check(images: np.ndarray) -> None:
        check_no_shared_pixels(images, ids, roles, where=faces.origin)
        warn_of_near_duplicates(images, ids, roles, where=faces.origin)

    rows = read_each(
        progress(ids, total=len(ids), label="images"),
        lambda stem: _read_image(faces, stem, size),
        where=faces.origin,
    )
    _write(path, rows, shape=(len(ids), size, size, 3), dtype=np.uint8, check=check)


def pack_labels(
    path: Path,
    labels: Archive,
    faces: Archive,
    ids: Sequence[str],
    *,
    classes: str,
    size: int,
    progress: ProgressBar = no_progress_bar,
) -> None:
    """Write uint8 N×size×size of class ids 0…13, one label map for each id.

    Args:
        path: the file to write.
        labels: label maps, with the names of their images, or masks of parts, with their numbers.
        faces: the images.
        ids: names of the images that have label maps.
        classes: see `mdrnets.config.data.Labels`.
        size: width and height of the packed maps.
        progress: counts label maps.

    Raises:
        UserError: a file is unreadable, has another size than its image (parts: is not square, or
            smaller than `size`), or has an unknown class.
    """
    stems = progress(ids, total=len(ids), label="label maps")
    if classes == "celebamask_parts":
        images = group_by_image(labels)
        if missing := [stem for stem in ids if int(stem) not in images]:
            raise UserError(f"{labels.path}: no part of {missing[0]}; run the split stage again")

        def read(stem: str) -> np.ndarray:
            return _read_parts(labels, images[int(stem)], stem, size)
    else:

        def read(stem: str) -> np.ndarray:
            return _read_labels(labels, faces, stem, classes, size)

    rows = read_each(stems, read, where=labels.origin)
    _write(path, rows, shape=(len(ids), size, size), dtype=np.uint8)


def pack_holes(
    path: Path,
    holes: Archive,
    steps: Sequence[tuple[str, int]],
    *,
    roles: Sequence[str],
    size: int,
    polarity: Polarity = "white_is_hole",
    training: tuple[Archive, TrainingHoles, Sequence[str]] | None = None,
    progress: ProgressBar = no_progress_bar,
) -> None:
    """Write bool N×size×size, True = hole: one mask for each step, then the training masks.

    Args:
        path: the file to write.
        holes: masks of a known step.
        steps: id and step of each mask of `holes`.
        roles: of these masks, and then of the training masks.
        size: width and height of the packed masks.
        polarity: what white means in `holes`.
        training: archive, settings and ids of masks that are only for training.
        progress: counts masks.

    Raises:
        UserError: a file is unreadable, not square, smaller than `size`, or its area does not
            match its step; nothing or everything is a hole, also after resizing; or two masks of
            different roles have the same pixels.
    """
    rows = read_each(
        progress(steps, total=len(steps), label="holes"),
        lambda hole: _read_hole(holes, *hole, size, polarity),
        where=holes.origin,
    )
    others: Iterable[np.ndarray] = ()
    ids: Sequence[str] = ()
    if training is not None:
        archive, settings, ids = training
        others = read_each(
            progress(ids, total=len(ids), label="training masks"),
            lambda stem: read_training_hole(archive, stem, settings, size=size),
            where=archive.origin,
        )

    def check(packed: np.ndarray) -> None:
        names = [*(stem for stem, _ in steps), *(PREFIX + stem for stem in ids)]
        check_no_shared_pixels(packed, names, roles, where=holes.origin)

    shape = (len(steps) + len(ids), size, size)
    _write(path, chain(rows, others), shape=shape, dtype=np.bool_, check=check)


def _read_image(faces: Archive, stem: str, size: int) -> np.ndarray:
    image = decode_image(faces.read(stem), faces.where(stem))
    check_square(image, size, faces.where(stem))
    return resize(image, size, Image.Resampling.LANCZOS)


def _read_labels(labels: Archive, faces: Archive, stem: str, classes: str, size: int) -> np.ndarray:
    where = labels.where(stem)
    ids = decode_labels(labels.read(stem), where)
    expected = read_image_size(faces.read(stem), faces.where(stem))
    if ids.shape != expected:
        raise UserError(
            f"{where} has {ids.shape[0]}×{ids.shape[1]} pixels, expected {expected[0]}×"
            f"{expected[1]} as its image; resize one of them, label maps by nearest neighbour"
        )
    check_square(ids, size, where)
    if classes == "celebamask19":
        try:
            ids = merge_celebamask_classes(ids)
        except UserError as error:
            raise UserError(f"{where}: {error}") from None
    elif (largest := int(ids.max())) >= len(CLASSES):
        raise UserError(
            f"{where} has the class id {largest}, expected 0…{len(CLASSES) - 1}; correct the "
            "file, or `labels.classes` of the data set"
        )
    return resize(ids, size, Image.Resampling.NEAREST)


def _read_parts(labels: Archive, parts: Parts, stem: str, size: int) -> np.ndarray:
    ids = paint_label_map(labels, parts)
    check_square(ids, size, f"{labels.origin}: the parts of {stem}")
    return resize(merge_celebamask_classes(ids), size, Image.Resampling.NEAREST)


def _read_hole(holes: Archive, stem: str, step: int, size: int, polarity: Polarity) -> np.ndarray:
    where = holes.where(stem)
    white = decode_mask(holes.read(stem), where)
    hole = white if polarity == "white_is_hole" else ~white
    check_square(hole, size, where)
    _check_partial(hole, where)
    area = float(hole.mean())
    if not _fits(area, step):
        message = (
            f"{where} has a hole of {100 * area:.1f} % of the area, expected "
            f"{10 * (step - 1)} to {10 * step} % by its number"
        )
        if _fits(1 - area, step):
            raise UserError(
                f"{message}; its inverse would match, so holes.polarity, {polarity}, may be wrong"
            )
        raise UserError(f"{message}; remove it, or correct holes.per_step")
    resized = resize(hole.astype(np.uint8), size, Image.Resampling.NEAREST).astype(bool)
    _check_partial(resized, f"{where}, scaled down to {size}×{size} pixels,")
    return resized


def _check_partial(hole: np.ndarray, where: str) -> None:
    if not hole.any() or hole.all():
        raise UserError(
            f"{where} is entirely {'hole' if hole.any() else 'valid'}, expected a hole in a part "
            "of the image; remove it"
        )


def _fits(area: float, step: int) -> bool:
    return (step - 1) / 10 - AREA_TOLERANCE <= area <= step / 10 + AREA_TOLERANCE


def _write(
    path: Path,
    rows: Iterable[np.ndarray],
    *,
    shape: tuple[int, ...],
    dtype: type[np.generic],
    check: Callable[[np.ndarray], None] | None = None,
) -> None:
    """Write an .npy file row by row; `check` may refuse it before it gets its name.

    A memory map is not used, since a full disk would kill the process without a message.
    """
    require_space(path, int(np.prod(shape)) * np.dtype(dtype).itemsize)
    header = {
        "descr": np.lib.format.dtype_to_descr(np.dtype(dtype)),
        "fortran_order": False,
        "shape": shape,
    }
    with atomic_write(path) as temporary:
        with temporary.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for row in rows:
                file.write(np.ascontiguousarray(row, dtype=dtype).tobytes())
        if check is not None:
            check(np.load(temporary, mmap_mode="r"))
