"""Inspect a trained MDRNets of the profile: how its memory is read, and what its parser finds."""

import numpy as np
import torch

from mdrnets.config.load import Config
from mdrnets.config.protocol import PARAMS
from mdrnets.config.yaml_loader import locate
from mdrnets.data.assignment import by_bin, read_assignment
from mdrnets.data.dataset import SPLIT_COLUMNS, map_holes, map_images, open_label_maps
from mdrnets.data.progress import ProgressBar
from mdrnets.errors import UserError
from mdrnets.evaluation.inspection import Inspection
from mdrnets.evaluation.memory_use import MemoryUse
from mdrnets.evaluation.parsing import COMPLETE, ParsedClass, count_classes
from mdrnets.files.tables import read_table
from mdrnets.layout import Layout
from mdrnets.methods.base import Trainable
from mdrnets.methods.building import load_network
from mdrnets.methods.mdrnets.memory import DisentangledMemory
from mdrnets.methods.mdrnets.method import MDRNets
from mdrnets.methods.numerics import set_profile_numerics
from mdrnets.runtime.seeds import derived_seed

SHOWN = 3
"""Slots of each class, and parts for each slot."""
MAX_SEARCHED = 1000
"""Training images that are searched for the parts nearest to a slot."""


def inspect_memory(
    config: Config, *, dataset: str, method: str, progress: ProgressBar
) -> MemoryUse:
    """Inspect the memory of a trained method.

    Reads are counted over the completions of the test images; the parts nearest to the slots are
    searched for in training images.

    Args:
        config: protocol and profile.
        dataset: a data set of the profile.
        method: a method of the profile that has a memory.
        progress: shows the progress, in batches.

    Raises:
        UserError: the method is not trained, or has no memory.
    """
    layout = Layout(config.name)
    inspection = _load_inspection(config, dataset, method, progress)
    memory = require_memory(config, method, inspection.method)
    split = read_table(layout.split(dataset), SPLIT_COLUMNS)
    training = np.flatnonzero([row["role"] == "train" for row in split])
    generator = np.random.default_rng(derived_seed(config.protocol.seed, "inspection", dataset))
    return inspection.memory(
        memory,
        read_assignment(layout.assignment(dataset)),
        np.sort(generator.permutation(training)[:MAX_SEARCHED]),
        shown=SHOWN,
    )


def inspect_parsing(
    config: Config, *, dataset: str, method: str, progress: ProgressBar
) -> list[ParsedClass]:
    """Compare the parser's maps of validation images with their label maps.

    Args:
        config: protocol and profile.
        dataset: the data set with label maps that the parser was trained on.
        method: a method of the profile that has a parser.
        progress: shows the progress, in batches.

    Returns:
        One row for each class of the complete images, then of the coarse completions of each bin.

    Raises:
        UserError: the method is not trained, or no validation image has both a label map and a
            hole.
    """
    layout = Layout(config.name)
    labels, label_rows = open_label_maps(layout, dataset)
    pairs = [
        pair
        for pair in read_assignment(layout.assignment(dataset), role="validation")
        if label_rows[pair.image_row] >= 0
    ]
    if not pairs:
        key = config.locate(f"datasets.{dataset}.split.validation")
        raise UserError(
            f"{key}: found no validation image with "
            "both a label map and a hole; raise it, or holes.validation"
        )
    bins = by_bin(pairs, config.protocol.bins)

    inspection = _load_inspection(config, dataset, method, progress)
    complete_pairs = next(iter(bins.values()))  # the images are the same in each bin
    truth = labels[[label_rows[pair.image_row] for pair in complete_pairs]]
    classes = count_classes(COMPLETE, truth, inspection.parse(complete_pairs, complete=True))
    for bin_name, bin_pairs in bins.items():
        classes += count_classes(bin_name, truth, inspection.parse(bin_pairs, complete=False))
    return classes


def require_mdrnets(method: str, network: Trainable) -> MDRNets:
    """Return `network` if its memory and its parser can be inspected.

    Raises:
        UserError: it is another network.
    """
    if not isinstance(network, MDRNets):
        key = locate(PARAMS, f"methods.{method}.memory")
        raise UserError(
            f"{key}: found {type(network).__name__}, expected an "
            "MDRNets, the only network whose memory can be inspected; remove the key"
        )
    return network


def require_memory(config: Config, method: str, network: MDRNets) -> DisentangledMemory:
    """Return the memory of a network.

    Raises:
        UserError: its options leave it out.
    """
    if network.memory is None:
        key = config.locate(f"networks.{method}")
        raise UserError(
            f"{key}: found a network without a memory; leave `memory` "
            "and `guidance` at their defaults (variants of the ablations change them), and train "
            "it again"
        )
    return network.memory


def _load_inspection(
    config: Config, dataset: str, method: str, progress: ProgressBar
) -> Inspection:
    layout, profile = Layout(config.name), config.profile
    set_profile_numerics(profile)
    network = load_network(config, layout, network=method, dataset=dataset)
    return Inspection(
        require_mdrnets(method, network).to(torch.device(profile.device)),
        images=map_images(layout, dataset),
        holes=map_holes(layout),
        batch_size=profile.completion_batch,
        precision=profile.precision,
        progress=progress,
    )
