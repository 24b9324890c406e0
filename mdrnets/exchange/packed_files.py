"""Losslessly compressed files for a machine without network, and the same bytes again there.

Photographs are compressed as WebP, which predicts each pixel from its neighbours and needs about
half of what deflate needs; boolean arrays with eight values a byte, and everything else, as xz.
"""

import io
import lzma
import math
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256 as new_digest
from pathlib import Path
from typing import Literal
from zipfile import ZipFile

import numpy as np
from PIL import Image

from mdrnets.config.options import Options
from mdrnets.errors import UserError
from mdrnets.files import atomic_write, reproducible_zipinfo, sha256
from mdrnets.files.arrays import DAMAGED_ARRAY

WEBP_PIXELS = 16383
"""Most pixels of a WebP image in each direction."""
CHUNK = 2**23
"""Bytes or values that are in memory at once; a multiple of 8."""

Codec = Literal["webp", "bits", "xz"]


class PackedFile(Options):
    """A compressed file.

    Attributes:
        path: where it belongs in the project.
        codec: `webp` for photographs, `bits` for boolean arrays, `xz` for the rest.
        header: the bytes before the array's values, in hexadecimal digits; empty for `xz`.
        shape: of the array; empty for `xz`.
        parts: number of compressed parts.
        sha256: of the file.
    """

    path: str
    codec: Codec
    header: str
    shape: tuple[int, ...]
    parts: int
    sha256: str


def pack_file(path: Path, archive: ZipFile, folder: Path) -> PackedFile:
    """Add a file to an archive, compressed.

    Args:
        path: a file of the project.
        archive: takes the parts `PATH.0000`, `PATH.0001` and so on.
        folder: of the parts in the archive.
    """
    values = _map_array(path)
    codec = _choose_codec(values)
    if values is None or codec == "xz":
        header, shape, parts = b"", (), iter([_compress_stream(path)])
    else:
        with path.open("rb") as file:
            header = file.read(values.offset)
        shape = values.shape
        parts = _webp_parts(values) if codec == "webp" else iter([_compress_bits(values)])
    count = 0
    for count, part in enumerate(parts, start=1):
        member = reproducible_zipinfo((folder / _part_name(path, count - 1)).as_posix())
        archive.writestr(member, part)
    return PackedFile(
        path=path.as_posix(),
        codec=codec,
        header=header.hex(),
        shape=shape,
        parts=count,
        sha256=sha256(path),
    )


def unpack_file(packed: PackedFile, folder: Path) -> None:
    """Write the file again, and check that it has the same bytes.

    Args:
        packed: its description.
        folder: of the parts.

    Raises:
        UserError: a part is missing, or the file would have other bytes.
    """
    path = Path(packed.path)
    parts = [folder / _part_name(path, number) for number in range(packed.parts)]
    digest = new_digest()
    with atomic_write(path) as temporary:
        with temporary.open("wb") as file:
            for block in _blocks(packed, parts):
                digest.update(block)
                file.write(block)
        if digest.hexdigest() != packed.sha256:
            raise UserError(
                f"{path}: SHA-256 {digest.hexdigest()[:8]}…, expected {packed.sha256[:8]}…: "
                f"{folder} is damaged; unpack the bundle again"
            )


def _map_array(path: Path) -> np.memmap | None:
    """The array in a file; None for any other file."""
    if path.suffix == ".npy":
        with suppress(*DAMAGED_ARRAY):
            return np.lib.format.open_memmap(path, mode="r")
    return None


def _choose_codec(values: np.ndarray | None) -> Codec:
    if values is None or not values.flags.c_contiguous or not values.size:
        return "xz"
    if values.dtype == bool:
        return "bits"
    photographs = values.dtype == np.uint8 and values.ndim == 4 and values.shape[-1] == 3
    return "webp" if photographs and max(values.shape[1:3]) <= WEBP_PIXELS else "xz"


def _part_name(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number:04d}")


def _webp_parts(images: np.ndarray) -> Iterator[bytes]:
    """Images N×H×W×3 as columns of as many images as one WebP holds."""
    _, height, width, channels = images.shape
    count = max(1, WEBP_PIXELS // height)
    for first in range(0, len(images), count):
        column = images[first : first + count].reshape(-1, width, channels)
        content = io.BytesIO()
        Image.fromarray(column).save(content, "WEBP", lossless=True, quality=100, method=4)
        yield content.getvalue()


def _compress_bits(values: np.ndarray) -> bytes:
    flat = values.reshape(-1)
    starts = range(0, flat.size, CHUNK)
    return _compress(np.packbits(flat[start : start + CHUNK]).tobytes() for start in starts)


def _compress_stream(path: Path) -> bytes:
    with path.open("rb") as file:
        return _compress(iter(lambda: file.read(CHUNK), b""))


def _compress(blocks: Iterator[bytes]) -> bytes:
    compressor = lzma.LZMACompressor()
    return b"".join([*map(compressor.compress, blocks), compressor.flush()])


def _blocks(packed: PackedFile, parts: list[Path]) -> Iterator[bytes]:
    """The bytes of the file.

    Raises:
        UserError: a part is missing or damaged.
    """
    yield bytes.fromhex(packed.header)
    left = math.prod(packed.shape)
    for part in parts:
        try:
            if packed.codec == "webp":
                with Image.open(part, formats=["WEBP"]) as column:
                    yield np.asarray(column.convert("RGB")).tobytes()
                continue
            with lzma.open(part) as file:
                for block in iter(lambda file=file: file.read(CHUNK // 8), b""):  # type: ignore[misc]
                    if packed.codec == "bits":
                        bits = np.unpackbits(np.frombuffer(block, np.uint8), count=min(left, CHUNK))
                        left -= len(bits)
                        yield bits.tobytes()
                    else:
                        yield block
        except (OSError, EOFError, ValueError, lzma.LZMAError, Image.DecompressionBombError) as e:
            raise UserError(
                f"{part}: expected a part of {packed.path}, found none or a damaged one "
                f"({str(e)[:100]}); unpack the bundle again"
            ) from None
