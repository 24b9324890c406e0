"""The numerics of a profile's networks."""

from typing import Any

from mdrnets.config.profile import Profile
from mdrnets.runtime.numerics import set_numerics


def set_profile_numerics(profile: Profile) -> dict[str, Any]:
    """Set the numerics with which a profile trains and completes; see `set_numerics`."""
    return {"compiled": profile.compile} | set_numerics(
        device=profile.device,
        precision=profile.precision,
        threads=profile.threads,
        deterministic=profile.deterministic,
    )
