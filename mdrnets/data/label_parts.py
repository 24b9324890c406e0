"""CelebAMask-HQ as published: a mask for each part of a face, painted into one label map.

Lee et al., "MaskGAN" (CVPR 2020), https://github.com/switchablenorms/CelebAMask-HQ: a file
`NNNNN_part.png` for image N. Parts overlap; they are painted in the order of the class ids, and
later ones cover earlier ones. A part that a face does not show has no file.
"""

import numpy as np

from mdrnets.data.archive import Archive, decode_mask, is_number
from mdrnets.data.classes import CELEBAMASK_CLASSES
from mdrnets.errors import UserError

Parts = dict[str, str]
"""Class → stem of its file."""


def parts_by_image(labels: Archive) -> dict[int, Parts]:
    """The files of each image, by its number.

    Raises:
        UserError: a file is not named after an image and a part of a face.
    """
    images: dict[int, Parts] = {}
    for stem in labels.members:
        number, _, part = stem.partition("_")
        if not is_number(number) or part not in CELEBAMASK_CLASSES[1:]:
            raise UserError(
                f"{labels.where(stem)}: expected NUMBER_PART.png, with a part of "
                f"{', '.join(CELEBAMASK_CLASSES[1:])}; correct the name, or `classes` of the data "
                "set's labels"
            )
        images.setdefault(int(number), {})[part] = stem
    return images


def image_number(stem: str) -> int | None:
    """The number that an image's name is, with or without zeros before it."""
    return int(stem) if is_number(stem) else None


def painted(labels: Archive, parts: Parts) -> np.ndarray:
    """One label map: uint8 H×W, CelebAMask-HQ's ids 0…18.

    Raises:
        UserError: a file is unreadable, or of another size than the others.
    """
    ids = np.zeros((0, 0), dtype=np.uint8)
    for number, part in enumerate(CELEBAMASK_CLASSES):
        if part not in parts:
            continue
        mask = decode_mask(labels.read(parts[part]), labels.where(parts[part]))
        if not ids.size:
            ids = np.zeros(mask.shape, dtype=np.uint8)
        if mask.shape != ids.shape:
            raise UserError(
                f"{labels.where(parts[part])} is of {mask.shape[0]}×{mask.shape[1]} pixels, other "
                f"parts of the face of {ids.shape[0]}×{ids.shape[1]}; replace it"
            )
        ids[mask > 0] = number
    return ids
