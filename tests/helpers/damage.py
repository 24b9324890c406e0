"""Damaged versions of a good file: cut, with changed bytes, or with a repeated part."""

import random
from collections.abc import Iterator


def damaged_versions(good: bytes, *, seed: str, count: int) -> Iterator[bytes]:
    """Yield damaged versions, the same ones for the same seed."""
    draw = random.Random(seed)
    for _ in range(count):
        content = bytearray(good)
        kind = draw.randrange(4)
        if kind == 0:
            del content[draw.randrange(len(content)) :]
        elif kind == 1:
            at = draw.randrange(len(content))
            content[at:at] = content[at : at + draw.randrange(1, 40)]
        else:
            for _ in range(draw.choice((1, 1, 4, 16))):
                content[draw.randrange(len(content))] = draw.choice((0, 0x5B, 0xFF, 0x20)) or (
                    draw.randrange(256)
                )
        yield bytes(content)
