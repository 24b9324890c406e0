"""Whether a training was good for anything, on validation images: a check, not a result.

Inside the hole alone, the trained method is compared with its own untrained network and with the
mean colour of the image's valid pixels. Test images are not touched.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from mdrnets.data.assignment import Pair
from mdrnets.data.pixels import to_tensor
from mdrnets.evaluation.summary import Validation
from mdrnets.methods.base import Method
from mdrnets.metrics.pixel import l1


def hole_l1(
    completions: Iterator[tuple[np.ndarray, np.ndarray]],
    pairs: Sequence[Pair],
    *,
    images: np.ndarray,
    holes: np.ndarray,
) -> float:
    """Mean L1 (%) over the holes of `complete_pairs`' batches, in the order of `pairs`."""
    completed = np.concatenate([composites for composites, _ in completions])
    return _hole_l1(completed, pairs, images=images, holes=holes)


def mean_fill_l1(pairs: Sequence[Pair], *, images: np.ndarray, holes: np.ndarray) -> float:
    """The same of the mean colour of each image's valid pixels."""
    filled = []
    for pair in pairs:
        image, hole = images[pair.image_row], holes[pair.hole_row]
        mean = np.rint(image[~hole].mean(axis=0)).astype(np.uint8)
        filled.append(np.where(hole[..., None], mean, image))
    return _hole_l1(np.stack(filled), pairs, images=images, holes=holes)


def gmacs(method: Method, pair: Pair, *, images: np.ndarray, holes: np.ndarray) -> float:
    """Multiply-accumulates of the completion of one image, in 10⁹."""
    device = next(method.parameters()).device
    image = to_tensor(images[[pair.image_row]], device)
    hole = torch.from_numpy(holes[[pair.hole_row]]).to(device).float()[:, None]
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        method.complete(image * (1 - hole), hole, torch.Generator(device).manual_seed(0))
    return counter.get_total_flops() / 2 / 1e9


def validate(
    trained: Method,
    untrained: Method,
    pairs: Sequence[Pair],
    *,
    images: np.ndarray,
    holes: np.ndarray,
    complete: Callable[[Method], Iterator[tuple[np.ndarray, np.ndarray]]],
) -> Validation:
    """Compare a method before and after its training.

    Args:
        trained: after it.
        untrained: before it.
        pairs: validation images with their holes.
        images: uint8 N×H×W×3.
        holes: bool N×H×W, True = hole.
        complete: runs `complete_pairs` on these pairs.
    """
    return Validation(
        images=len(pairs),
        trained=hole_l1(complete(trained), pairs, images=images, holes=holes),
        untrained=hole_l1(complete(untrained), pairs, images=images, holes=holes),
        mean_fill=mean_fill_l1(pairs, images=images, holes=holes),
        gmacs=gmacs(trained, pairs[0], images=images, holes=holes),
    )


def _hole_l1(
    completed: np.ndarray, pairs: Sequence[Pair], *, images: np.ndarray, holes: np.ndarray
) -> float:
    originals = torch.from_numpy(images[[pair.image_row for pair in pairs]])
    missing = torch.from_numpy(holes[[pair.hole_row for pair in pairs]])
    return l1(torch.from_numpy(completed), originals, missing).mean().item()
