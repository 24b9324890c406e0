"""Seeds for every purpose from the one seed of `params.yaml`.

What is drawn for one purpose depends on nothing that was drawn before, so no generator's state
has to be saved, and no two purposes share their numbers.
"""

import hashlib


def derived_seed(*parts: int | str) -> int:
    """A 63-bit seed, for example `derived_seed(seed, "step", phase, step)`."""
    text = "/".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
