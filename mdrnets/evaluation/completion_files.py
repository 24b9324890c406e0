"""The two files of a method's completions: composites and raw outputs.

Import-light: collecting completions of other software needs no network.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from mdrnets.config.load import Config
from mdrnets.data.download.disk_space import require_space
from mdrnets.data.evaluation_set import EvaluationSet
from mdrnets.files import atomic_write
from mdrnets.files.arrays import create_array
from mdrnets.layout import Layout


@contextmanager
def create_completions(
    config: Config, test: EvaluationSet, *, dataset: str, method: str
) -> Iterator[tuple[np.memmap, np.memmap]]:
    """Create the files of composites and raw outputs, and keep them if nothing fails.

    Yields:
        The arrays to fill, uint8 bins×images×H×W×3.

    Raises:
        UserError: the disk is too full.
    """
    layout = Layout(config.name)
    paths = layout.completions(dataset, method), layout.raw_outputs(dataset, method)
    require_space(paths[0], 2 * math.prod(test.shape))
    with atomic_write(paths[0]) as composites, atomic_write(paths[1]) as raw:
        arrays = (
            create_array(composites, name=paths[0], shape=test.shape, dtype="uint8"),
            create_array(raw, name=paths[1], shape=test.shape, dtype="uint8"),
        )
        yield arrays
        for array in arrays:
            array.flush()
