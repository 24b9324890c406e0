"""Inputs for other software that completes the test images, and a check of its results.

The results become a row of Table 1 by the key `completions` of a method in params.yaml.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from mdrnets.config.load import Config
from mdrnets.dag.pipeline import snakemake_command
from mdrnets.data.assignment import Pair
from mdrnets.data.evaluation_set import EvaluationSet, read_evaluation_set
from mdrnets.data.external import read_completions
from mdrnets.errors import UserError
from mdrnets.exchange.datasets import require_dataset
from mdrnets.files import atomic_write
from mdrnets.layout import Layout

MASKED, HOLES = "masked", "holes"
"""The folders of the inputs."""
TOLERANCE = 8
"""Levels of 255 that compression without visible losses may change."""


@dataclass(frozen=True)
class Completions:
    """What was found in a folder or archive of completions.

    Attributes:
        count: number of completions; none is missing.
        changed: those whose valid pixels differ from the original, as BIN/IMAGE.
        unfilled: those that are the masked image itself, as BIN/IMAGE.
    """

    count: int
    changed: Sequence[str]
    unfilled: Sequence[str]


def read_task(config: Config, dataset: str) -> EvaluationSet:
    """Map the test images of a data set into memory.

    Raises:
        UserError: the profile has no such data set, or its images are not packed yet.
    """
    require_dataset(config, dataset)
    layout = Layout(config.name)
    for path in (layout.assignment(dataset), layout.images(dataset), layout.holes()):
        if not path.exists():
            make = snakemake_command(config.name, path)
            raise UserError(f"{path}: file not found; make it with `{make}`")
    return read_evaluation_set(config, dataset)


def export_inputs(task: EvaluationSet, folder: Path) -> int:
    """Write masked images and their holes as PNG.

    Args:
        task: of one data set.
        folder: gets `masked/BIN/IMAGE.png`, black in the hole, and `holes/BIN/IMAGE.png`, white =
            hole.

    Returns:
        The number of masked images.
    """
    for pair in task.pairs:
        hole = task.holes[pair.hole_row]
        for kind, array in (
            (MASKED, mask_image(task, pair)),
            (HOLES, hole.astype(np.uint8) * 255),
        ):
            path = folder / kind / pair.bin / f"{pair.image}.png"
            with atomic_write(path) as temporary:
                Image.fromarray(array).save(temporary, "PNG")
    return len(task.pairs)


def check_completions(task: EvaluationSet, path: Path) -> Completions:
    """Compare a folder or archive of completions with the test images.

    Args:
        task: of one data set.
        path: contains `BIN/IMAGE.png` for every bin and every test image.

    Raises:
        UserError: images are missing, unexpected, unreadable or of another size.
    """
    changed, unfilled = [], []
    completions = read_completions(path, task.bins, size=task.images.shape[1])
    for pair, completion in zip(task.pairs, completions, strict=True):
        valid = ~task.holes[pair.hole_row]
        original = task.images[pair.image_row]
        difference = np.abs(completion.astype(int) - original)[valid]
        if difference.size and difference.max() > TOLERANCE:
            changed.append(f"{pair.bin}/{pair.image}")
        if np.array_equal(completion, mask_image(task, pair)):
            unfilled.append(f"{pair.bin}/{pair.image}")
    return Completions(count=len(task.pairs), changed=changed, unfilled=unfilled)


def mask_image(task: EvaluationSet, pair: Pair) -> np.ndarray:
    """The image with zeros in the hole, uint8 H×W×3."""
    masked: np.ndarray = np.where(
        task.holes[pair.hole_row][..., None], 0, task.images[pair.image_row]
    )
    return masked
