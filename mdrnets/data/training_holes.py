"""Masks that are for training alone, such as the 55,116 of Liu et al. (ECCV 2018, section 4.1).

They are of any area, not of a 10 % step; grey, to be cut at a threshold; and black where the image
is missing, while the test masks are white there. What white means, the profile says.
"""

import numpy as np
from PIL import Image

from mdrnets.config.data import Role, TrainingHoles
from mdrnets.data.archive import Archive, decode_mask
from mdrnets.data.progress import Progress, silent
from mdrnets.data.resizing import check_square, resized
from mdrnets.errors import UserError

PREFIX = "training/"
"""Of their names in the table of holes, beside those of the test masks."""


def read_training_hole(
    archive: Archive, stem: str, settings: TrainingHoles, *, size: int
) -> np.ndarray:
    """One mask as it is packed: bool size×size, True = hole.

    Raises:
        UserError: unreadable, not square, or smaller than `size`.
    """
    where = archive.where(stem)
    white = decode_mask(archive.read(stem), where) > 255 * settings.threshold
    hole = white if settings.polarity == "white_is_hole" else ~white
    check_square(hole, size, where)
    return resized(hole.astype(np.uint8), size, Image.Resampling.NEAREST).astype(bool)


def training_roles(
    archive: Archive, settings: TrainingHoles, *, size: int, progress: Progress = silent
) -> dict[str, Role]:
    """The role of each mask, by stem: `train`; or `unused`, where all or nothing would be missing.

    Raises:
        UserError: a mask is unreadable, or more than half is missing on the average, as if white
            meant the contrary.
    """
    areas = {
        stem: float(read_training_hole(archive, stem, settings, size=size).mean())
        for stem in progress(archive.members, total=len(archive.members), label="training masks")
    }
    mean = sum(areas.values()) / len(areas)
    if mean > 0.5:
        raise UserError(
            f"{archive.path}: with holes.training.polarity {settings.polarity}, its masks remove "
            f"{100 * mean:.0f} % of the image on average, expected at most 50 %; correct the "
            "polarity"
        )
    return {stem: "train" if 0 < area < 1 else "unused" for stem, area in areas.items()}
