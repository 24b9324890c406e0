"""From planned seconds to what a job requests from a cluster, and back. Import-light."""

import math
from pathlib import Path

from mdrnets.files.text import read_json_as

MARGIN = 2
"""A job requests this many times the planned time, and `EXTRA_MINUTES` more."""
EXTRA_MINUTES = 15

Resources = dict[str, dict[str, int]]
"""Job → runtime (minutes), mem_mb, disk_mb."""


def runtime_minutes(seconds: float) -> int:
    """The time limit of a job that is planned to take so long."""
    return math.ceil(MARGIN * seconds / 60) + EXTRA_MINUTES


def planned_seconds(path: Path) -> dict[str, float]:
    """How long each job of a written plan is planned to take, by the job's name.

    Raises:
        UserError: the plan is damaged.
    """
    if not path.is_file():
        return {}
    resources: Resources = read_json_as(Resources, path, remedy="run `mdrnets plan`")
    return {
        name: (request["runtime"] - EXTRA_MINUTES) * 60 / MARGIN
        for name, request in resources.items()
        if "runtime" in request
    }
