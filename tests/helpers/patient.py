"""The toy, with pauses: it trains for more than ten seconds and needs hardly any computation."""

import time

from mdrnets.methods.base import BuildContext
from tests.helpers.toy import Options, Toy

__all__ = ["Options"]
PAUSE = 0.1
"""Seconds between the two updates of each step of the second phase."""


def build(*, options: Options, context: BuildContext) -> Toy:
    return Toy(options, during=lambda: time.sleep(PAUSE))
