"""Filling the holes of test images, batch by batch.

Whatever is saved, scored and shown is the composite I ⊙ (1 − K) + O ⊙ K, rounded to uint8.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from mdrnets.data.assignment import Pair
from mdrnets.data.pixels import to_pixels, to_tensor
from mdrnets.errors import UserError
from mdrnets.methods.base import Method
from mdrnets.networks.composite import composite
from mdrnets.runtime.numerics import autocast


def complete_pairs(
    method: Method,
    pairs: Sequence[Pair],
    *,
    images: np.ndarray,
    holes: np.ndarray,
    batch_size: int,
    seed: int,
    device: torch.device,
    precision: str,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Complete images in the order of `pairs`.

    Args:
        method: on `device`, in eval mode.
        pairs: which image has which hole.
        images: uint8 N×H×W×3, to which the pairs' `image_row` points.
        holes: bool N×H×W, True = hole, to which their `hole_row` points.
        batch_size: images completed at once.
        seed: of the samples of a method that draws some.
        device: of the computation.
        precision: `32-true` or `bf16-mixed`.

    Yields:
        For each batch the composites and the raw outputs, uint8 B×H×W×3.

    Raises:
        UserError: an output is not finite.
    """
    generator = torch.Generator(device).manual_seed(seed)
    for begin in range(0, len(pairs), batch_size):
        part = pairs[begin : begin + batch_size]
        originals = images[[pair.image_row for pair in part]]
        missing = holes[[pair.hole_row for pair in part]]

        image = to_tensor(originals, device)
        hole = torch.from_numpy(missing).to(device).float()[:, None]  # B×1×H×W
        with torch.inference_mode(), autocast(device, precision):
            output = method.complete(image * (1 - hole), hole, generator).float()

        finite = output.isfinite().flatten(1).all(dim=1).tolist()
        if not all(finite):
            pair = part[finite.index(False)]
            raise UserError(
                f"the output for image {pair.image} with hole {pair.hole} is not finite; train "
                "the network again, with a lower learning rate"
            )
        completed = to_pixels(composite(image, output, hole))
        assert np.array_equal(completed[~missing], originals[~missing]), "a valid pixel changed"
        yield completed, to_pixels(output)
