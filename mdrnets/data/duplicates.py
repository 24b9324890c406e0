"""Find equal and nearly equal images in packed data: training must not see the test images.

Two images are equal if their packed pixels are, in files of any format. They are nearly equal if
they have almost the same difference hash (N. Krawetz, "Kind of Like That", 2013, used by many
libraries), which says whether each cell of a grid is brighter than its neighbours. Other formats,
sizes and levels of compression hardly change it.
"""

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mdrnets.errors import UserError, list_names

logger = logging.getLogger(__name__)

GRID = 16
"""Cells of the hash in each direction, and so 2 · 16 · 15 bits."""
MAX_BITS = 48
"""Most bits in which the hashes of two images that look alike differ.

Among 1,812 faces of CelebA-HQ the nearest two differ in 91 bits; an image and its copy differ in at
most 39 if the copy is a JPEG of quality 60, and in 10 if it is half as large.
"""
_BLOCK = 64  # images at once


def check_no_shared_pixels(
    images: np.ndarray, names: Sequence[str], roles: Sequence[str], *, where: Path
) -> None:
    """Check that no two images of different roles have the same pixels.

    Args:
        images: N×H×W×3, or holes, N×H×W.
        names: of the images.
        roles: of the images.
        where: what error messages name.

    Raises:
        UserError: two images have; names the first pairs and counts all.
    """
    first: dict[bytes, int] = {}
    pairs = []
    for row, image in enumerate(images):
        other = first.setdefault(hashlib.sha256(image.tobytes()).digest(), row)
        if roles[other] != roles[row]:
            pairs.append((other, row))
    if pairs:
        listing = _list_pairs(pairs, names, roles)
        raise UserError(
            f"{where}: {len(pairs):,} pairs of files have the same pixels and different roles: "
            f"{listing}; remove one of each pair"
        )


def warn_of_near_duplicates(
    images: np.ndarray, names: Sequence[str], roles: Sequence[str], *, where: Path
) -> int:
    """Warn of test and validation images that look like images of another role.

    Args:
        images: uint8 N×H×W×3.
        names: of the images.
        roles: of the images.
        where: what the warning names.

    Returns:
        The number of pairs.
    """
    hashes = difference_hashes(images)
    rows = {role: [n for n, each in enumerate(roles) if each == role] for role in set(roles)}
    train, validation, test = (rows.get(role, []) for role in ("train", "validation", "test"))
    pairs = _close_pairs(hashes, test, [*train, *validation]) + _close_pairs(
        hashes, validation, train
    )
    if pairs:
        logger.warning(
            "%s: %s pairs of images with different roles look alike: %s; if they show the same "
            "picture, remove one of each pair",
            where,
            f"{len(pairs):,}",
            _list_pairs(pairs, names, roles),
        )
    return len(pairs)


def _list_pairs(
    pairs: Sequence[tuple[int, int]], names: Sequence[str], roles: Sequence[str]
) -> str:
    return list_names([f"{names[a]} ({roles[a]}) and {names[b]} ({roles[b]})" for a, b in pairs])


def difference_hashes(images: np.ndarray) -> np.ndarray:
    """Return the bits of each image's difference hash: bool N×(2·GRID·(GRID-1)).

    Args:
        images: uint8 N×H×W×3, at least GRID pixels high and wide.
    """
    blocks = [images[begin : begin + _BLOCK] for begin in range(0, len(images), _BLOCK)]
    return np.concatenate([_hash_block(block) for block in blocks])


def _hash_block(images: np.ndarray) -> np.ndarray:
    count, height, width, channels = images.shape
    rows, columns = _cells(height), _cells(width)  # GRID×H, GRID×W
    pixels = images.reshape(count, height, width * channels).astype(np.float32)
    sums = rows @ pixels @ columns.repeat(channels, axis=1).T
    grey = sums / np.outer(rows.sum(axis=1), columns.sum(axis=1))  # N×GRID×GRID
    across = grey[:, :, 1:] > grey[:, :, :-1]  # N×GRID×(GRID-1)
    down = grey[:, 1:] > grey[:, :-1]
    bits: np.ndarray = np.concatenate(
        [across.reshape(len(images), -1), down.reshape(len(images), -1)], axis=1
    )
    return bits


def _cells(length: int) -> np.ndarray:
    """GRID×length: 1 where a pixel belongs to a cell. Sums of pixels are then exact in float32."""
    cell = np.arange(length) * GRID // length
    inside: np.ndarray = cell == np.arange(GRID)[:, None]
    return inside.astype(np.float32)


def _close_pairs(
    hashes: np.ndarray, rows: Sequence[int], others: Sequence[int]
) -> list[tuple[int, int]]:
    """Pairs of a row and another whose hashes differ in at most MAX_BITS bits.

    The product of two hashes as ±1 is their length minus twice the number of differences; a matrix
    product computes it for 30,000 × 2,000 pairs in seconds.
    """
    if not rows or not others:
        return []
    signs = hashes.astype(np.float32) * 2 - 1
    candidates = signs[others].T
    threshold = hashes.shape[1] - 2 * MAX_BITS
    pairs = []
    for begin in range(0, len(rows), _BLOCK):
        block = rows[begin : begin + _BLOCK]
        for at, other in np.argwhere(signs[block] @ candidates >= threshold):
            pairs.append((block[at], others[other]))
    return pairs
