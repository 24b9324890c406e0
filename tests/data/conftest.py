"""Small images and archives, made as a careless or a hostile person would make them."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Encode = Callable[..., bytes]
Zipped = Callable[[Path, Mapping[str, bytes]], Path]


@pytest.fixture
def encode() -> Encode:
    """Array → image file; `mode`, `format` and Pillow's options as wished."""

    def encode_array(
        array: np.ndarray, *, mode: str | None = None, format: str = "PNG", **options: object
    ) -> bytes:
        image = Image.fromarray(array)
        if mode is not None:
            image = image.convert(mode)
        buffer = io.BytesIO()
        image.save(buffer, format, **options)
        return buffer.getvalue()

    return encode_array


@pytest.fixture
def raw_png() -> Callable[..., bytes]:
    """A PNG of a depth and colour type that Pillow does not write."""

    def png(*, width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
        def chunk(kind: bytes, body: bytes) -> bytes:
            checksum = zlib.crc32(kind + body)
            return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)

        header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
        body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
        return b"\x89PNG\r\n\x1a\n" + body

    return png


@pytest.fixture
def write_zip() -> Zipped:
    """Write members, in the given order, to an archive."""

    def write(path: Path, members: Mapping[str, bytes]) -> Path:
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return path

    return write


@pytest.fixture
def face() -> np.ndarray:
    """A 40×40 image that is neither symmetric nor constant."""
    ramp = np.linspace(0, 255, 40)
    red, green = np.meshgrid(ramp, ramp)
    return np.stack([red, green, 255 - red * green / 255], axis=-1).round().astype(np.uint8)
