"""Score the classes that are entirely in a hole, for all trainings that are compared.

The classes of a test image are those of its annotation or, without one, the face parser's map of
the ground truth.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from mdrnets.config.load import Config
from mdrnets.config.protocol import PARAMS
from mdrnets.config.yaml_loader import locate
from mdrnets.dag.evaluate import per_class_networks
from mdrnets.data.assignment import by_bin, read_assignment
from mdrnets.data.dataset import map_images, open_label_maps
from mdrnets.data.evaluation_set import read_evaluation_set
from mdrnets.data.pixels import to_tensor
from mdrnets.data.progress import ProgressBar
from mdrnets.errors import UserError
from mdrnets.evaluation.class_scores import ClassMap, ClassScore, score_classes
from mdrnets.evaluation.scores import read_completions
from mdrnets.layout import Layout
from mdrnets.methods.base import Trainable
from mdrnets.methods.building import load_network
from mdrnets.methods.mdrnets.parser import Parser
from mdrnets.runtime.numerics import set_numerics


def load_class_maps(config: Config, *, dataset: str) -> dict[int, ClassMap]:
    """The class maps of the test images, by row of the packed images.

    Raises:
        UserError: label maps or the parser's weights are missing or damaged.
    """
    layout = Layout(config.name)
    bins = by_bin(read_assignment(layout.assignment(dataset)), config.protocol.bins)
    rows = [pair.image_row for pair in next(iter(bins.values()))]  # the same in each bin
    annotations, map_rows = open_label_maps(layout, dataset)
    parsed = _parse_images(config, dataset, [row for row in rows if map_rows[row] < 0])
    return {
        row: ClassMap(next(parsed), "parsed")
        if map_rows[row] < 0
        else ClassMap(annotations[map_rows[row]], "annotated")
        for row in rows
    }


def score_compared_networks(
    config: Config, *, dataset: str, maps: dict[int, ClassMap], progress: ProgressBar
) -> list[ClassScore]:
    """The class scores of every training that the profile compares by class.

    Args:
        config: protocol and profile.
        dataset: the first data set of the profile.
        maps: see `load_class_maps`.
        progress: shows the progress, in networks.

    Raises:
        UserError: completions are missing or have another shape.
    """
    test = read_evaluation_set(config, dataset)
    networks = per_class_networks(config)
    scores: list[ClassScore] = []
    for name in progress(networks, total=len(networks), label=f"classes of {dataset}"):
        completions = read_completions(config, dataset, name, shape=test.shape)
        for pairs, bin_completions in zip(test.bins.values(), completions, strict=True):
            scores += score_classes(
                name, pairs, bin_completions, images=test.images, holes=test.holes, maps=maps
            )
    return scores


def require_parser(name: str, network: Trainable) -> Parser:
    """Return `network` if it is a face parser.

    Raises:
        UserError: it is not.
    """
    if not isinstance(network, Parser):
        key = locate(PARAMS, "per_class.parser")
        raise UserError(
            f"{key}: found {name}, expected a face parser; name a component "
            f"of the module {Parser.__module__}"
        )
    return network


def _parse_images(config: Config, dataset: str, rows: Sequence[int]) -> Iterator[np.ndarray]:
    """The frozen parser's maps of these images, uint8 H×W."""
    layout, profile = Layout(config.name), config.profile
    assert config.protocol.per_class is not None, "the stage exists only with this key"
    name = config.protocol.per_class.parser
    set_numerics(device=profile.device, precision="32-true", threads=profile.threads)
    device = torch.device(profile.device)
    trained_on = config.trained_on(name, dataset)
    network = load_network(config, layout, network=name, dataset=trained_on).to(device)
    parser = require_parser(name, network)
    images = map_images(layout, dataset)
    for begin in range(0, len(rows), profile.completion_batch):
        batch = to_tensor(images[list(rows[begin : begin + profile.completion_batch])], device)
        yield from parser.parse(batch).to(torch.uint8).cpu().numpy()
