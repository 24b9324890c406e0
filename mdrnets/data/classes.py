"""The 14 classes of a label map, and their relation to the 19 of CelebAMask-HQ.

The paper uses 14 classes and names only skin and eye. The list is our choice: left and right are
merged, earring and ear, and necklace and neck (see the assumption ledger).
"""

from typing import Annotated

import numpy as np

from mdrnets.config.marks import Chosen
from mdrnets.errors import UserError

CLASSES: Annotated[
    tuple[str, ...],
    Chosen("the paper says 14 and names two: CelebAMask-HQ's 19, left and right merged"),
] = (
    "background",
    "skin",
    "brow",
    "eye",
    "glasses",
    "ear",
    "nose",
    "mouth",
    "upper lip",
    "lower lip",
    "neck",
    "cloth",
    "hair",
    "hat",
)

_MERGED = {  # CelebAMask-HQ's classes, in the order of its ids
    "background": "background",
    "skin": "skin",
    "nose": "nose",
    "eye_g": "glasses",
    "l_eye": "eye",
    "r_eye": "eye",
    "l_brow": "brow",
    "r_brow": "brow",
    "l_ear": "ear",
    "r_ear": "ear",
    "mouth": "mouth",
    "u_lip": "upper lip",
    "l_lip": "lower lip",
    "hair": "hair",
    "hat": "hat",
    "ear_r": "ear",
    "neck_l": "neck",
    "neck": "neck",
    "cloth": "cloth",
}
CELEBAMASK_CLASSES = tuple(_MERGED)
MERGED = {name: CLASSES.index(merged) for name, merged in _MERGED.items()}
"""Class of CelebAMask-HQ → id of the class that it is merged into."""
_LOOKUP = np.array(list(MERGED.values()), dtype=np.uint8)


def merge_celebamask_classes(labels_19: np.ndarray) -> np.ndarray:
    """Convert the 19 classes of CelebAMask-HQ to the 14.

    Args:
        labels_19: uint8 of any shape, ids 0…18.

    Returns:
        uint8 of the same shape, ids 0…13.

    Raises:
        UserError: an id is above 18, or the array is not uint8.
    """
    if labels_19.dtype != np.uint8:
        raise UserError(
            f"a CelebAMask-HQ label map has type {labels_19.dtype}, expected uint8 class ids; "
            "read it as an 8-bit grey image"
        )
    if labels_19.size and (largest := int(labels_19.max())) >= len(_LOOKUP):
        raise UserError(
            f"a CelebAMask-HQ label map has the class id {largest}, expected 0…18; "
            "use the maps of class ids, not colours or masks of single parts"
        )
    labels: np.ndarray = _LOOKUP[labels_19]
    return labels
