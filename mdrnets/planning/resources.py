"""Convert planned seconds to what a job requests from a cluster, and back. Import-light."""

import math
from pathlib import Path

from mdrnets.files.text import read_json_as

MARGIN = 2
"""A job requests its planned time multiplied by this, plus `EXTRA_MINUTES`."""
EXTRA_MINUTES = 15

Resources = dict[str, dict[str, int]]
"""Job → runtime (minutes), mem_mb, disk_mb."""


def runtime_minutes(seconds: float) -> int:
    """Return the time limit of a job that is planned to take this long."""
    return math.ceil(MARGIN * seconds / 60) + EXTRA_MINUTES


def read_plan(path: Path, profile: str) -> Resources:
    """Read what each job requests; empty if there is no plan.

    Raises:
        UserError: the plan is damaged.
    """
    if not path.is_file():
        return {}
    return read_json_as(Resources, path, remedy=f"run `mdrnets plan --profile {profile}`")


def read_planned_seconds(path: Path, profile: str) -> dict[str, float]:
    """Read the planned seconds of each job, by its name; empty if there is no plan.

    Raises:
        UserError: the plan is damaged.
    """
    return {
        name: (request["runtime"] - EXTRA_MINUTES) * 60 / MARGIN
        for name, request in read_plan(path, profile).items()
        if "runtime" in request
    }
