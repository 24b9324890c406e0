"""Convert CelebAMask-HQ as published, a mask for each part of a face, to label maps.

Lee et al., "MaskGAN" (CVPR 2020), https://github.com/switchablenorms/CelebAMask-HQ: a file
`NNNNN_part.png` for image N. Parts overlap; they are painted in the order of the class ids, and
later ones cover earlier ones. Parts that are not visible have no file.
"""

import numpy as np

from mdrnets.data.archive import Archive, is_number
from mdrnets.data.bad_files import require_none
from mdrnets.data.classes import CELEBAMASK_CLASSES
from mdrnets.data.decoding import decode_mask
from mdrnets.errors import UserError

Parts = dict[str, str]
"""Class → name of its file without suffix."""


def group_by_image(labels: Archive) -> dict[int, Parts]:
    """Group the files by the number of their image.

    Raises:
        UserError: the name of a file is not `NUMBER_PART`, or two are the same part.
    """
    images: dict[int, Parts] = {}
    problems = []
    for stem in labels.members:
        number, _, part = stem.partition("_")
        if not is_number(number) or part not in CELEBAMASK_CLASSES[1:]:
            problems.append(
                f"{labels.where(stem)}: expected NUMBER_PART.png, where PART is one of "
                f"{', '.join(CELEBAMASK_CLASSES[1:])}; rename it, or correct `labels.classes` of "
                "the data set"
            )
            continue
        parts = images.setdefault(int(number), {})
        if part in parts:
            problems.append(
                f"{labels.where(stem)}: {labels.members[parts[part]]} is the same part of the same "
                "image; remove one of them"
            )
        parts[part] = stem
    require_none(problems, where=labels.origin, total=len(labels.members))
    return images


def paint_label_map(labels: Archive, parts: Parts) -> np.ndarray:
    """Return one label map: uint8 H×W, ids 0…18 of CelebAMask-HQ.

    Raises:
        UserError: a file is unreadable, no black and white PNG, or of another size than the others.
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
                f"{labels.where(parts[part])} has {mask.shape[0]}×{mask.shape[1]} pixels, expected "
                f"{ids.shape[0]}×{ids.shape[1]} as other parts of the face; replace it"
            )
        ids[mask] = number
    return ids
