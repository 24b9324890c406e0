"""Checks that training improved on the untrained network, on validation images.

Only pixels in the hole count. The trained method is compared with its own untrained network, and
with filling the hole with the mean colour of the image's valid pixels. Test images are not used.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from mdrnets.config.load import Config
from mdrnets.data.assignment import Pair, read_assignment
from mdrnets.data.dataset import map_holes, map_images
from mdrnets.data.pixels import to_tensor
from mdrnets.errors import UserError
from mdrnets.evaluation.completion import complete_pairs
from mdrnets.evaluation.summary import Validation
from mdrnets.layout import Layout
from mdrnets.methods.base import Method
from mdrnets.methods.building import load_network, untrained_network
from mdrnets.metrics.pixel import l1
from mdrnets.runtime.numerics import set_numerics
from mdrnets.runtime.seeds import derived_seed


def validate_method(config: Config, *, dataset: str, method: str) -> Validation:
    """Validate a trained method on the validation images with a hole of the largest bin.

    Args:
        config: protocol and profile.
        dataset: a data set of the profile.
        method: a trained method of the profile.

    Raises:
        UserError: no validation image has a hole of the largest bin, or the method has no model.
    """
    layout, profile = Layout(config.name), config.profile
    set_numerics(device=profile.device, precision=profile.precision, threads=profile.threads)
    device = torch.device(profile.device)
    pairs = validation_pairs(config, dataset)
    images = map_images(layout, dataset)
    holes = map_holes(layout)

    def complete(network: Method) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        return complete_pairs(
            network,
            pairs,
            images=images,
            holes=holes,
            batch_size=profile.completion_batch,
            seed=derived_seed(config.seed(method), "validation", dataset),
            device=device,
            precision=profile.precision,
        )

    trained, untrained = (
        load(config, layout, network=method, dataset=dataset).to(device)
        for load in (load_network, untrained_network)
    )
    assert isinstance(trained, Method) and isinstance(untrained, Method), "checked when completing"
    return compare_with_untrained(
        trained, untrained, pairs, images=images, holes=holes, complete=complete
    )


def validation_pairs(config: Config, dataset: str) -> list[Pair]:
    """The validation images of a data set, with a hole of the largest bin.

    Raises:
        UserError: there is none.
    """
    largest = config.protocol.largest_bin
    assignment = Layout(config.name).assignment(dataset)
    validation = read_assignment(assignment, role="validation")
    pairs = [pair for pair in validation if pair.bin == largest]
    if not pairs:
        raise UserError(
            f"{config.path}: datasets.{dataset}.split.validation: found no validation image with a "
            f"hole of {largest} %; raise it, or holes.validation"
        )
    return pairs


def compare_with_untrained(
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
        trained: the method after training.
        untrained: the method before training.
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
        gmacs=count_gmacs(trained, pairs[0], images=images, holes=holes),
    )


def hole_l1(
    completions: Iterator[tuple[np.ndarray, np.ndarray]],
    pairs: Sequence[Pair],
    *,
    images: np.ndarray,
    holes: np.ndarray,
) -> float:
    """Mean over images of the L1 (%) in the hole, for the batches of `complete_pairs`."""
    completed = np.concatenate([composites for composites, _ in completions])
    return _hole_l1(completed, pairs, images=images, holes=holes)


def mean_fill_l1(pairs: Sequence[Pair], *, images: np.ndarray, holes: np.ndarray) -> float:
    """The same for holes filled with the mean colour of the image's valid pixels."""
    filled = []
    for pair in pairs:
        image, hole = images[pair.image_row], holes[pair.hole_row]
        mean = np.rint(image[~hole].mean(axis=0)).astype(np.uint8)
        filled.append(np.where(hole[..., None], mean, image))
    return _hole_l1(np.stack(filled), pairs, images=images, holes=holes)


def count_gmacs(method: Method, pair: Pair, *, images: np.ndarray, holes: np.ndarray) -> float:
    """Multiply-accumulates that complete one image, in 10⁹."""
    device = next(method.parameters()).device
    image = to_tensor(images[[pair.image_row]], device)
    hole = torch.from_numpy(holes[[pair.hole_row]]).to(device).float()[:, None]
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        method.complete(image * (1 - hole), hole, torch.Generator(device).manual_seed(0))
    return float(counter.get_total_flops() / 2 / 1e9)


def _hole_l1(
    completed: np.ndarray, pairs: Sequence[Pair], *, images: np.ndarray, holes: np.ndarray
) -> float:
    originals = torch.from_numpy(images[[pair.image_row for pair in pairs]])
    missing = torch.from_numpy(holes[[pair.hole_row for pair in pairs]])
    return l1(torch.from_numpy(completed), originals, missing).mean().item()
