"""How a memory is read, and what its slots hold: the file between inspection and figures.

Import-light: figures read it without importing torch.
"""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from mdrnets.errors import UserError
from mdrnets.files import atomic_write
from mdrnets.files.arrays import read_tensors

NONE = -1
"""Marks a missing slot or image."""


@dataclass(frozen=True)
class MemoryUse:
    """The use of a memory with K classes of M slots; S slots are shown by E parts of faces each.

    Attributes:
        chosen: int64 K×M, number of reads of each class with this best slot (equation 2).
        entropy: float64 K, mean entropy of the attention (equation 4) in nats; NaN without reads.
        length: float64 K, mean of |Q̂| / |Q|, the length of a read over that of its query; NaN
            without reads.
        slots: int64 K×S, the slots with most reads in descending order, then `NONE`.
        images: int64 K×S×E, rows of the packed images whose style of the class is nearest to the
            slot, nearest first; `NONE` if too few images have the class.
        cosines: float32 K×S×E, cosine similarity of that style and the slot.
        regions: bool K×S×E×H×W, pixels of the class in these images.
    """

    chosen: np.ndarray
    entropy: np.ndarray
    length: np.ndarray
    slots: np.ndarray
    images: np.ndarray
    cosines: np.ndarray
    regions: np.ndarray


ARRAYS = tuple(field.name for field in fields(MemoryUse))


def save_memory_use(path: Path, use: MemoryUse) -> None:
    with atomic_write(path) as temporary:
        save_file({name: np.ascontiguousarray(getattr(use, name)) for name in ARRAYS}, temporary)


def load_memory_use(path: Path) -> MemoryUse:
    """Raises:
    UserError: the file is missing, damaged, or has other arrays.
    """
    again = "run the inspect_memory stage"
    arrays = read_tensors(path, load_file, remedy=again)
    if set(arrays) != set(ARRAYS):
        raise UserError(
            f"{path}: expected the arrays {', '.join(ARRAYS)}, found {', '.join(sorted(arrays))}; "
            f"{again} again"
        )
    return MemoryUse(**arrays)
