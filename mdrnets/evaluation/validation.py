"""Checks that training improved on the untrained network, on validation images.

Only pixels in the hole count. The trained method is compared with its own untrained network, and
with filling the hole with the mean colour of the image's valid pixels. Test images are not used.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from mdrnets.data.assignment import Pair, select
from mdrnets.data.pixels import to_tensor
from mdrnets.evaluation.summary import Validation
from mdrnets.evaluation.validation_set import ValidationSet
from mdrnets.layout import Layout
from mdrnets.methods.base import Method
from mdrnets.methods.building import untrained_network
from mdrnets.metrics.pixel import l1


def validate_method(validation: ValidationSet) -> Validation:
    """Validate a trained method on the validation images with a hole of the largest bin."""
    untrained = untrained_network(
        validation.config,
        Layout(validation.config.name),
        network=validation.method,
        dataset=validation.dataset,
    ).to(validation.device)
    assert isinstance(untrained, Method), "checked when completing"
    return compare_with_untrained(
        validation.trained,
        untrained,
        validation.pairs,
        images=validation.images,
        holes=validation.holes,
        complete=validation.complete,
    )


def compare_with_untrained(
    trained: Method,
    untrained: Method,
    pairs: Sequence[Pair],
    *,
    images: np.ndarray,
    holes: np.ndarray,
    complete: Callable[[Method], np.ndarray],
) -> Validation:
    """Compare a method before and after its training.

    Args:
        trained: the method after training.
        untrained: the method before training.
        pairs: validation images with their holes.
        images: uint8 N×H×W×3.
        holes: bool N×H×W, True = hole.
        complete: returns the composites of these pairs, uint8 n×H×W×3.
    """
    return Validation(
        images=len(pairs),
        trained=hole_l1(complete(trained), pairs, images=images, holes=holes),
        untrained=hole_l1(complete(untrained), pairs, images=images, holes=holes),
        mean_fill=mean_fill_l1(pairs, images=images, holes=holes),
        gmacs=count_gmacs(trained, pairs[0], images=images, holes=holes),
    )


def hole_l1(
    completed: np.ndarray, pairs: Sequence[Pair], *, images: np.ndarray, holes: np.ndarray
) -> float:
    """Mean over images of the L1 (%) in the hole of composites, uint8 n×H×W×3."""
    originals, missing = map(torch.from_numpy, select(pairs, images, holes))
    return l1(torch.from_numpy(completed), originals, missing).mean().item()


def mean_fill_l1(pairs: Sequence[Pair], *, images: np.ndarray, holes: np.ndarray) -> float:
    """The same for holes filled with the mean colour of the image's valid pixels."""
    filled = []
    for pair in pairs:
        image, hole = images[pair.image_row], holes[pair.hole_row]
        mean = np.rint(image[~hole].mean(axis=0)).astype(np.uint8)
        filled.append(np.where(hole[..., None], mean, image))
    return hole_l1(np.stack(filled), pairs, images=images, holes=holes)


def count_gmacs(method: Method, pair: Pair, *, images: np.ndarray, holes: np.ndarray) -> float:
    """Multiply-accumulates that complete one image, in 10⁹."""
    device = next(method.parameters()).device
    image = to_tensor(images[[pair.image_row]], device)
    hole = torch.from_numpy(holes[[pair.hole_row]]).to(device).float()[:, None]
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        method.complete(image * (1 - hole), hole, torch.Generator(device).manual_seed(0))
    return float(counter.get_total_flops() / 2 / 1e9)
