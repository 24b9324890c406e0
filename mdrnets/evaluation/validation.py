"""Check that training improved on the untrained network, on validation images.

Only pixels in the hole count. The trained method is compared with its own untrained network, and
with filling the hole with the mean colour of the image's valid pixels. Test images are not used.
"""

import numpy as np
import torch

from mdrnets.data.assignment import select
from mdrnets.data.pixels import hole_to_tensor, to_tensor
from mdrnets.evaluation.summary import Validation
from mdrnets.evaluation.validation_set import ValidationSet
from mdrnets.layout import Layout
from mdrnets.methods.base import Method
from mdrnets.methods.building import untrained_network
from mdrnets.metrics.pixel import l1
from mdrnets.runtime.operations import MacCounter


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
        gmacs=count_gmacs(
            validation.trained,
            images,
            holes,
            batch_size=validation.config.profile.completion_batch,
        ),
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


def count_gmacs(method: Method, images: np.ndarray, holes: np.ndarray, *, batch_size: int) -> float:
    """Multiply-accumulates that complete one of these images on average, in 10⁹.

    The cost of a method that samples grows with the hole.
    """
    device = next(method.parameters()).device
    generator = torch.Generator(device).manual_seed(0)
    with torch.no_grad(), MacCounter() as counter:
        for first in range(0, len(images), batch_size):
            part = slice(first, first + batch_size)
            image, hole = to_tensor(images[part], device), hole_to_tensor(holes[part], device)
            method.complete(image * (1 - hole), hole, generator)
    return float(counter.macs / len(images) / 1e9)
