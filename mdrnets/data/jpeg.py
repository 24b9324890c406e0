"""Find damage inside a JPEG file that libjpeg repairs without an error.

libjpeg draws what it cannot decode in grey, or goes on in the wrong place, and only warns; Pillow
drops the warning. Markers, tables and codes: ITU-T T.81, annexes B, F and G.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

_SEQUENTIAL, _PROGRESSIVE = (0xC0, 0xC1), (0xC2,)
_TABLES, _SCAN, _END, _RESTART_INTERVAL = 0xC4, 0xDA, 0xD9, 0xDD
_WITHOUT_LENGTH = (0x01, *range(0xD0, 0xD9))
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # restart markers belong to the data of a scan
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_ZEROS = bytes(9)  # more than 64 bits, even if the first byte belongs to an escaped 0xFF
_GREY = 128  # what libjpeg draws where data are missing
_LONGEST_CODE = 16


@dataclass(frozen=True)
class _Table:
    """A Huffman table: the number of codes of each length from 1, and their symbols."""

    counts: bytes
    symbols: bytes

    def lookup(self) -> list[tuple[int, int]]:
        """For each 16 bits that data may begin with: the length of the code, and its symbol.

        Raises:
            ValueError: there are more codes than bits allow.
        """
        lengths = [length for length, count in enumerate(self.counts, 1) for _ in range(count)]
        if sum(2 ** (_LONGEST_CODE - length) for length in lengths) > 2**_LONGEST_CODE:
            raise ValueError("too many codes")
        entries: list[tuple[int, int]] = []
        for length, symbol in zip(lengths, self.symbols, strict=False):
            entries += [(length, symbol)] * 2 ** (_LONGEST_CODE - length)
        return entries + [(0, 0)] * (2**_LONGEST_CODE - len(entries))


@dataclass(frozen=True)
class _Frame:
    """The header of the picture; `components` gives the sampling factors across and down."""

    marker: int
    height: int
    width: int
    components: dict[int, tuple[int, int]]


@dataclass(frozen=True)
class _Scan:
    """One scan: its coefficients `first` to `last` of each component, up to bit `low`.

    Attributes:
        components: with the tables of the first and of the other coefficients.
        refines: whether it adds one bit to coefficients of earlier scans.
        interval: MCUs between two restart markers; 0: no markers.
        begin, end: where its encoded data lie in the file.
    """

    components: dict[int, tuple[_Table | None, _Table | None]]
    first: int
    last: int
    low: int
    refines: bool
    interval: int
    begin: int
    end: int


def find_damage(data: bytes, pixels: np.ndarray) -> str | None:
    """Return what is wrong inside a JPEG file that Pillow decoded, or None.

    Found are files that were cut and then ended properly, and zeroed bytes. Not found are bytes
    that were changed to other values; a cut in the last scan of a progressive file, which costs a
    few grey levels; and zeroed bytes where zero bits mean blocks like the one before (drawings
    with tables of their own, and the first scan of a progressive file).

    Args:
        data: the file.
        pixels: uint8 H×W×3, as Pillow decoded it.
    """
    try:
        return _find_damage(data, pixels)
    except (IndexError, KeyError, ValueError, ZeroDivisionError, struct.error):
        return "its headers contradict each other"


def _find_damage(data: bytes, pixels: np.ndarray) -> str | None:
    frame, scans = _read_structure(data)
    if frame is None:
        return None  # of another kind, such as arithmetic coding
    for scan in scans:
        if not _may_be_zero(frame, scan) and _ZEROS in data[scan.begin : scan.end]:
            return "its data contain zeroed bytes"
    if missing := _count_missing(frame, scans):
        return f"the data of {missing} of {64 * len(frame.components)} coefficients are missing"
    # Counting blocks takes long, so only where the last pixel may be missing.
    suspect = frame.marker in _SEQUENTIAL and (pixels[-1, -1] == _GREY).all()
    if suspect and any(_ends_early(data, frame, scan) for scan in scans):
        return "its data end before the last row"
    return None


def _may_be_zero(frame: _Frame, scan: _Scan) -> bool:
    """Whether 64 zero bits in a row are valid data."""
    if scan.refines and scan.first == 0:
        return True  # bits without codes, all zero in flat parts
    if scan.last > 0 and frame.marker in _PROGRESSIVE:
        return False  # blocks without coefficients have a common code
    # In flat parts: no difference in the first coefficient (category 0), then the block's end (0).
    used = [0] * (scan.first == 0) + [1] * (scan.last > 0)
    tables = [pair[kind] for pair in scan.components.values() for kind in used]
    return all(table is not None and table.symbols[:1] == b"\0" for table in tables)


def _count_missing(frame: _Frame, scans: list[_Scan]) -> int:
    """The number of coefficients, over all components, that no scan gives to their last bit."""
    complete = {
        (component, coefficient)
        for scan in scans
        if scan.low == 0
        for component in scan.components
        for coefficient in range(scan.first, scan.last + 1)
    }
    return 64 * len(frame.components) - len(complete)


def _ends_early(data: bytes, frame: _Frame, scan: _Scan) -> bool:
    """Whether the data of a sequential scan end before its last block."""
    tables = {
        component: tuple(table.lookup() for table in pair if table)
        for component, pair in scan.components.items()
    }
    if any(len(pair) < 2 for pair in tables.values()):
        return False  # libjpeg has tables for files without some
    blocks, units = _count_blocks(frame, list(scan.components))
    for part in _RESTART.split(data[scan.begin : scan.end]):
        content = part.replace(b"\xff\x00", b"\xff")
        bits, at = 8 * len(content), 0
        for _ in range(min(units, scan.interval or units)):
            for component, count in blocks.items():
                for _ in range(count):
                    first, others = tables[component]
                    at = _skip_block(content, at, first, others)
                    if at > bits:
                        return True
            units -= 1
    return units > 0


def _count_blocks(frame: _Frame, components: list[int]) -> tuple[dict[int, int], int]:
    """Blocks of each component in a unit (MCU) of a scan, and the number of units."""
    across = max(h for h, _ in frame.components.values())
    down = max(v for _, v in frame.components.values())
    if len(components) > 1:
        units = -(-frame.width // (8 * across)) * -(-frame.height // (8 * down))
        return {c: frame.components[c][0] * frame.components[c][1] for c in components}, units
    h, v = frame.components[components[0]]
    width, height = -(-frame.width * h // across), -(-frame.height * v // down)
    return {components[0]: 1}, -(-width // 8) * -(-height // 8)


def _skip_block(
    content: bytes, at: int, first: list[tuple[int, int]], others: list[tuple[int, int]]
) -> int:
    """Return the position, in bits, behind a block of 64 coefficients."""

    def read(at: int, table: list[tuple[int, int]]) -> tuple[int, int]:
        window = int.from_bytes(content[at >> 3 : (at >> 3) + 3].ljust(3, b"\0"))
        return table[(window >> (8 - (at & 7))) & 0xFFFF]

    length, symbol = read(at, first)
    at += (length or _LONGEST_CODE) + symbol
    coefficient = 1
    while coefficient < 64 and at < 8 * len(content):
        length, symbol = read(at, others)
        run, size = symbol >> 4, symbol & 15
        at += (length or _LONGEST_CODE) + size
        if size == 0 and run != 15:
            break
        coefficient += run + 1
    return at


def _read_structure(data: bytes) -> tuple[_Frame | None, list[_Scan]]:
    """Return the frame, None if it is of an unknown kind, and the scans."""
    frame, scans, interval = None, [], 0
    tables: dict[tuple[int, int], _Table] = {}  # by class and number
    for marker, begin, end in _segments(data):
        if marker in (*_SEQUENTIAL, *_PROGRESSIVE):
            height, width, count = struct.unpack_from(">HHB", data, begin + 1)
            parts = [data[begin + 6 + 3 * n : begin + 8 + 3 * n] for n in range(count)]
            factors = {number: (factor >> 4, factor & 15) for number, factor in parts}
            frame = _Frame(marker, height, width, factors)
        elif marker == _TABLES:
            tables |= _read_tables(data[begin:end])
        elif marker == _RESTART_INTERVAL:
            (interval,) = struct.unpack_from(">H", data, begin)
        elif marker == _SCAN:
            scans.append(_read_scan(data, begin, end, tables, interval))
    return frame, scans


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, begin and end of the content of each segment; encoded data follow a scan's."""
    at = 2
    while found := _MARKER.search(data, at):
        marker, begin = data[found.start() + 1], found.end()
        if marker == _END or begin + 2 > len(data):
            return
        if marker in _WITHOUT_LENGTH:
            at = begin
            continue
        at = begin + struct.unpack_from(">H", data, begin)[0]
        yield marker, begin + 2, at


def _read_tables(content: bytes) -> dict[tuple[int, int], _Table]:
    tables, at = {}, 0
    while at + 17 <= len(content):
        counts = content[at + 1 : at + 17]
        end = at + 17 + sum(counts)
        tables[content[at] >> 4, content[at] & 15] = _Table(counts, content[at + 17 : end])
        at = end
    return tables


def _read_scan(
    data: bytes, begin: int, end: int, tables: dict[tuple[int, int], _Table], interval: int
) -> _Scan:
    count = data[begin]
    chosen = [data[begin + 1 + 2 * n : begin + 3 + 2 * n] for n in range(count)]
    first, last, bits = data[begin + 1 + 2 * count : begin + 4 + 2 * count]
    following = _MARKER.search(data, end)
    return _Scan(
        components={
            component: (tables.get((0, numbers >> 4)), tables.get((1, numbers & 15)))
            for component, numbers in chosen
        },
        first=first,
        last=last,
        low=bits & 15,
        refines=bits >> 4 > 0,
        interval=interval,
        begin=end,
        end=following.start() if following else len(data),
    )
