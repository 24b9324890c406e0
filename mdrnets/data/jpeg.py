"""Find damage inside a JPEG file that Pillow decodes without an error.

Where libjpeg cannot decode data, it fills in grey or continues in the wrong place, and only warns;
Pillow drops the warning. Segments and Huffman tables: ITU-T T.81, annex B.
"""

import struct
from collections.abc import Iterator

import simplejpeg

_SEQUENTIAL, _TABLES, _SCAN = (0xC0, 0xC1), 0xC4, 0xDA
_END = b"\xff\xd9"
_ZEROS = bytes(9)  # more than 64 bits, even if the first byte belongs to an escaped 0xFF


def find_damage(data: bytes) -> str | None:
    """Return what is wrong inside a JPEG file that Pillow decoded, or None.

    It finds files that were cut and then ended properly, and zeroed bytes. It misses most bytes
    that were changed to other values; a cut between two scans of a progressive file; and zeroed
    bytes that libjpeg does not warn of in a progressive file (1 in 100), or where zero bits mean
    blocks like the one before (drawings with their own tables).
    """
    try:
        simplejpeg.decode_jpeg(data, strict=True)
    except ValueError as error:
        return str(error)
    return "its data contain zeroed bytes" if _has_zeroed_bytes(data) else None


def _has_zeroed_bytes(data: bytes) -> bool:
    """Whether zeros in the data of a sequential file cannot be blocks.

    The shortest code of a table has zero bits only. If it means no difference in the first
    coefficient and the block's end, symbol 0 in all tables, zeros are flat parts.
    """
    at, sequential, symbols = 2, False, set[int]()
    while at + 4 <= len(data):
        marker, length = struct.unpack_from(">xBH", data, at)
        content, at = data[at + 4 : at + 2 + length], at + 2 + length
        if marker in _SEQUENTIAL:
            sequential = True
        elif marker == _TABLES:
            symbols |= set(_first_symbols(content))
        elif marker == _SCAN:
            return sequential and any(symbols) and _ZEROS in data[at : data.find(_END, at)]
    return False


def _first_symbols(tables: bytes) -> Iterator[int]:
    at = 0
    while at + 17 < len(tables):
        yield tables[at + 17]
        at += 17 + sum(tables[at + 1 : at + 17])
