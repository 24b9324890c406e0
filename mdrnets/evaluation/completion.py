"""Fill the holes of test images, batch by batch.

Whatever is saved, scored and shown is the composite I ⊙ (1 − K) + O ⊙ K, rounded to uint8.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from mdrnets.config.load import Config
from mdrnets.data.assignment import Pair, select
from mdrnets.data.evaluation_set import read_evaluation_set
from mdrnets.data.pixels import hole_to_tensor, to_pixels, to_tensor
from mdrnets.data.progress import ProgressBar
from mdrnets.errors import UserError
from mdrnets.evaluation.completion_files import create_completions
from mdrnets.layout import Layout
from mdrnets.methods.base import Method, Trainable
from mdrnets.methods.building import build_network, load_network
from mdrnets.methods.compiling import compile_networks
from mdrnets.methods.numerics import set_profile_numerics
from mdrnets.networks.composite import composite
from mdrnets.runtime.numerics import autocast
from mdrnets.runtime.seeds import derived_seed


def require_method(name: str, network: Trainable) -> Method:
    """Return `network` if it completes images.

    Raises:
        UserError: it does not.
    """
    if not isinstance(network, Method):
        raise UserError(
            f"{name}: found a {type(network).__name__}, which completes no images; the `build` "
            "function of its module must return a `Method`"
        )
    return network


def load_trained(config: Config, method: str, dataset: str) -> Method:
    """Load a method in eval mode, on the CPU; one without a training is built.

    Raises:
        UserError: its files are missing or damaged, or it completes no images.
    """
    load = load_network if config.network(method).trained else build_network
    network = load(config, Layout(config.name), network=method, dataset=dataset)
    return require_method(method, network.eval())


def complete_test_images(
    config: Config,
    *,
    dataset: str,
    method: str,
    progress: ProgressBar,
    note: Callable[[str, bool | int | float | str], None],
) -> None:
    """Complete a data set's test images in each bin, and write composites and raw outputs.

    Args:
        config: protocol and profile.
        dataset: a data set of the profile.
        method: a method of the profile.
        progress: shows the progress, in batches.
        note: takes measurements: numerics and images per second.

    Raises:
        UserError: the method is not trained or completes no images, an output is not finite, or
            the disk is too full.
    """
    profile = config.profile
    for key, value in set_profile_numerics(profile).items():
        note(key, value)

    test = read_evaluation_set(config, dataset)
    device = torch.device(profile.device)
    network = load_trained(config, method, dataset).to(device)
    if profile.compile:
        compile_networks(network)

    begin = time.monotonic()
    with create_completions(config, test, dataset=dataset, method=method) as (completions, raw):
        for number, (bin_name, pairs) in enumerate(test.bins.items()):
            batches = complete_pairs(
                network,
                pairs,
                images=test.images,
                holes=test.holes,
                batch_size=profile.completion_batch,
                seed=derived_seed(config.seed(method), "completion", dataset, bin_name),
                device=device,
                precision=profile.precision,
            )
            first = 0
            for composites, outputs in progress(
                batches,
                total=math.ceil(len(pairs) / profile.completion_batch),
                label=f"{method} on {dataset}, {bin_name} %",
            ):
                part = slice(first, first + len(composites))
                completions[number, part], raw[number, part] = composites, outputs
                first = part.stop
    note("images_per_second", len(test.pairs) / (time.monotonic() - begin))


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
        pairs: rows of an image and of its hole.
        images: uint8 N×H×W×3, indexed by the pairs' `image_row`.
        holes: bool N×H×W, True = hole, indexed by the pairs' `hole_row`.
        batch_size: images completed at once.
        seed: for methods that draw samples.
        device: where the method computes.
        precision: `32-true` or `bf16-mixed`.

    Yields:
        The composites and the raw outputs of each batch, uint8 B×H×W×3.

    Raises:
        UserError: an output is not finite.
    """
    generator = torch.Generator(device).manual_seed(seed)
    for begin in range(0, len(pairs), batch_size):
        part = pairs[begin : begin + batch_size]
        originals, missing = select(part, images, holes)

        image = to_tensor(originals, device)
        hole = hole_to_tensor(missing, device)
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
