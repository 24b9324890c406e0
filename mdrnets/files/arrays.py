"""Write .npy files in place; read them, and files of tensors, that may be missing or damaged."""

import errno
import math
import os
import pickle
import struct
import tokenize
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from safetensors import SafetensorError

from mdrnets.errors import UserError
from mdrnets.files import FULL_DISK
from mdrnets.files.text import unreadable_error

DAMAGED_ARRAY = (
    ValueError,  # no .npy, a wrong header, fewer bytes than the shape needs, UnicodeError
    OSError,
    EOFError,
    SyntaxError,  # the header is a Python literal
    tokenize.TokenError,
    TypeError,
    KeyError,
    AttributeError,
    IndexError,
    OverflowError,
    MemoryError,  # a huge shape, or thousands of brackets
    RecursionError,
    struct.error,
)
"""What `np.load` raises for a damaged header or missing bytes."""
DAMAGED_TENSORS = (
    *DAMAGED_ARRAY,
    SafetensorError,
    pickle.UnpicklingError,
    RuntimeError,
    AssertionError,
)
"""What safetensors and PyTorch's unpickler raise; PyTorch's zip reader raises RuntimeError."""

Tensors = TypeVar("Tensors")

NO_RESERVATION = (errno.EINVAL, errno.EOPNOTSUPP)
"""Error numbers of the system for a file system that cannot reserve space."""


def create_array(path: Path, *, name: Path, shape: tuple[int, ...], dtype: str) -> np.memmap:
    """Create an .npy file to write through a memory map, with all of its space reserved.

    A map has no other way to report a full disk than to kill the process. Systems and
    file systems without `posix_fallocate` reserve nothing.

    Args:
        path: the file to create.
        name: of the file in error messages; `path` may be temporary.
        shape: of the array.
        dtype: its type.

    Raises:
        UserError: the disk has not enough space.
    """
    try:
        array: np.memmap = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
        _reserve(path)
    except OSError as error:
        if error.errno not in FULL_DISK:
            raise
        size = math.prod(shape) * np.dtype(dtype).itemsize
        raise UserError(
            f"{name}: the disk has no space for its {size / 2**20:,.1f} MiB; free some space, or "
            "run the project on another disk"
        ) from None
    return array


def _reserve(path: Path) -> None:
    """Give a sparse file all of its blocks; the content stays."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            try:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
            except OSError as error:
                if error.errno not in NO_RESERVATION:
                    raise


def map_array(
    path: Path, *, remedy: str, dtype: str | None = None, dimensions: int | None = None
) -> np.ndarray:
    """Memory-map an .npy file.

    Args:
        path: the file.
        remedy: what to do if it is missing, for error messages, such as `run the pack stage`.
        dtype: expected type; None: any numbers or truth values.
        dimensions: expected number; None: any.

    Raises:
        UserError: the file is missing or is another array than expected.
    """
    try:
        with path.open("rb") as file:  # np.load would also read pickles and zip archives
            if file.read(len(np.lib.format.MAGIC_PREFIX)) != np.lib.format.MAGIC_PREFIX:
                raise ValueError("it does not begin as an .npy file")
        array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        if array.dtype.kind not in "biuf" or array.dtype != (dtype or array.dtype):
            raise ValueError(f"it holds {array.dtype}")
        if array.ndim == 0 or array.ndim != (dimensions or array.ndim):
            raise ValueError(f"it has {array.ndim} dimensions")
    except DAMAGED_ARRAY as error:
        raise unreadable_error(path, error, kind="an .npy array", remedy=remedy) from None
    return array


def read_tensors(path: Path, load: Callable[[Path], Tensors], *, remedy: str) -> Tensors:
    """Read a file of tensors.

    Args:
        path: the file.
        load: `load_file` of safetensors, or `torch.load` with `weights_only=True`.
        remedy: what to do if the file is missing, for error messages, such as `train the network`.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        return load(path)
    except DAMAGED_TENSORS as error:
        raise unreadable_error(path, error, kind="tensors", remedy=remedy) from None
