"""Masks that are only for training, such as the 55,116 of Liu et al. (ECCV 2018, section 4.1).

They have any area instead of a 10 % step, and grey values, which are compared with a threshold.
NVIDIA's training masks are black in the hole and its test masks white; the profile gives the
polarity of each.
"""

import numpy as np
from PIL import Image

from mdrnets.config.data import Role, TrainingHoles
from mdrnets.data.archive import Archive
from mdrnets.data.bad_files import read_each
from mdrnets.data.decoding import decode_grey_mask
from mdrnets.data.progress import ProgressBar, no_progress_bar
from mdrnets.data.resizing import check_square, resize
from mdrnets.errors import UserError

PREFIX = "training/"
"""Prefix of their names in the table of holes."""


def read_training_hole(
    archive: Archive, stem: str, settings: TrainingHoles, *, size: int
) -> np.ndarray:
    """Read and resize one mask: bool size×size, True = hole.

    Raises:
        UserError: the file is unreadable, not square, or smaller than `size`.
    """
    where = archive.where(stem)
    white = decode_grey_mask(archive.read(stem), where) > 255 * settings.threshold
    hole = white if settings.polarity == "white_is_hole" else ~white
    check_square(hole, size, where)
    return resize(hole.astype(np.uint8), size, Image.Resampling.NEAREST).astype(bool)


def assign_training_roles(
    archive: Archive, settings: TrainingHoles, *, size: int, progress: ProgressBar = no_progress_bar
) -> dict[str, Role]:
    """Return the role of each mask: `train`, or `unused` if all or none of it is a hole.

    Raises:
        UserError: a mask is unreadable, or the masks cover more than half of the image on average,
            which means that the polarity is wrong.
    """
    stems = progress(archive.members, total=len(archive.members), label="training masks")
    means = read_each(
        stems,
        lambda stem: float(read_training_hole(archive, stem, settings, size=size).mean()),
        where=archive.origin,
    )
    areas = dict(zip(archive.members, means, strict=True))
    mean = sum(areas.values()) / len(areas)
    if mean > 0.5:
        raise UserError(
            f"{archive.origin}: with holes.training.polarity {settings.polarity}, its masks remove "
            f"{100 * mean:.0f} % of the image on average, expected at most 50 %; correct the "
            "polarity"
        )
    return {stem: "train" if 0 < area < 1 else "unused" for stem, area in areas.items()}
