"""Seeded draws that depend on names alone.

An order by hash needs no random generator: it is the same in every version of every library,
does not change for the other names when one is added, and cannot depend on what was drawn before.
"""

import hashlib
from collections.abc import Iterable


def shuffled(names: Iterable[str], *key: int | str) -> list[str]:
    """Names in an order drawn by the key, for example `shuffled(ids, seed, "validation")`.

    The order is that of SHA-256("key/…/name"), whatever the order of `names`.
    """
    prefix = "/".join(str(part) for part in key)
    return sorted(names, key=lambda name: hashlib.sha256(f"{prefix}/{name}".encode()).digest())
