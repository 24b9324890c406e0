"""The 14 classes of a label map, and where CelebAMask-HQ's 19 go.

The paper says 14 and names only skin and eye; the list is ours: left and right are merged, the
earring goes into the ear and the necklace into the neck (see the assumption ledger).
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
"""A class of CelebAMask-HQ → the id of ours that it goes into."""
_LOOKUP = np.array(list(MERGED.values()), dtype=np.uint8)


def from_celebamask(labels_19: np.ndarray) -> np.ndarray:
    """Merge CelebAMask-HQ's 19 classes into the 14.

    Args:
        labels_19: uint8 of any shape, ids 0…18.

    Returns:
        uint8 of the same shape, ids 0…13.

    Raises:
        UserError: an id is above 18, or the array is not uint8.
    """
    if labels_19.dtype != np.uint8:
        raise UserError(
            f"A CelebAMask-HQ label map has type {labels_19.dtype}, expected uint8 class ids: "
            "read it as an 8-bit grey image."
        )
    if labels_19.size and (largest := int(labels_19.max())) >= len(_LOOKUP):
        raise UserError(
            f"A CelebAMask-HQ label map has the class id {largest}, expected 0…18: "
            "use the maps with merged class ids, not colours or the parts' own pictures."
        )
    return _LOOKUP[labels_19]
