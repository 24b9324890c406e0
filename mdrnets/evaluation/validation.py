"""Checks that training improved on the untrained network, on validation images.

Only pixels in the hole count. The trained method is compared with its own untrained network, and
with filling the hole with the mean colour of the image's valid pixels. Test images are not used.
"""

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from mdrnets.data.assignment import select
from mdrnets.data.pixels import to_tensor
from mdrnets.evaluation.summary import Validation
from mdrnets.evaluation.validation_set import ValidationSet
from mdrnets.layout import Layout
from mdrnets.methods.base import Method
from mdrnets.methods.building import untrained_network
from mdrnets.metrics.pixel import l1


def validate_method(validation: ValidationSet) -> Validation:
    """Compare a method before and after its training, on holes of the largest bin."""
    untrained = untrained_network(
        validation.config,
        Layout(validation.config.name),
        network=validation.method,
        dataset=validation.dataset,
    ).to(validation.device)
    assert isinstance(untrained, Method), "checked when completing"
    images, holes = select(validation.pairs, validation.images, validation.holes)
    return Validation(
        images=len(images),
        trained=hole_l1(validation.complete(validation.trained), images, holes),
        untrained=hole_l1(validation.complete(untrained), images, holes),
        mean_fill=hole_l1(fill_with_mean(images, holes), images, holes),
        gmacs=count_gmacs(validation.trained, images[:1], holes[:1]),
    )


def hole_l1(completed: np.ndarray, images: np.ndarray, holes: np.ndarray) -> float:
    """Mean over images of the L1 (%) in the hole.

    Args:
        completed: composites, uint8 n×H×W×3.
        images: the originals, of the same shape.
        holes: bool n×H×W, True = hole.
    """
    return l1(*map(torch.from_numpy, (completed, images, holes))).mean().item()


def fill_with_mean(images: np.ndarray, holes: np.ndarray) -> np.ndarray:
    """Fill each hole with the mean colour of the image's valid pixels. Returns uint8 n×H×W×3."""
    filled = images.copy()
    for image, hole in zip(filled, holes, strict=True):
        image[hole] = np.rint(image[~hole].mean(axis=0))
    return filled


def count_gmacs(method: Method, images: np.ndarray, holes: np.ndarray) -> float:
    """Multiply-accumulates that complete these images, in 10⁹."""
    device = next(method.parameters()).device
    image = to_tensor(images, device)
    hole = torch.from_numpy(holes).to(device).float()[:, None]
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        method.complete(image * (1 - hole), hole, torch.Generator(device).manual_seed(0))
    return float(counter.get_total_flops() / 2 / 1e9)
