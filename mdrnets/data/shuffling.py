"""Seeded random orders that depend only on names.

Sorting by hash needs no random generator. The order is the same in every version of every library,
does not change for the other names when one is added, and does not depend on earlier draws.
"""

import hashlib
from collections.abc import Iterable


def shuffle_by_hash(names: Iterable[str], *key: int | str) -> list[str]:
    """Return names in a random order that the key determines.

    For example `shuffle_by_hash(ids, seed, "validation")`. Names are sorted by
    SHA-256("key/…/name"), so their given order has no influence.
    """
    prefix = "/".join(str(part) for part in key)
    return sorted(names, key=lambda name: hashlib.sha256(f"{prefix}/{name}".encode()).digest())
