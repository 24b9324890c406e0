"""The features of test images, from which the Fréchet and the kernel distance are computed."""

from pathlib import Path

import numpy as np
import torch

from mdrnets.config.load import Config
from mdrnets.config.profile import INCEPTION
from mdrnets.data.assignment import by_bin, read_assignment
from mdrnets.data.dataset import map_images
from mdrnets.data.progress import ProgressBar
from mdrnets.files import atomic_write
from mdrnets.layout import Layout
from mdrnets.metrics.features import build_feature_network, extract_features
from mdrnets.runtime.numerics import set_numerics


def extract_truth_features(config: Config, *, dataset: str, progress: ProgressBar) -> np.ndarray:
    """Features of a data set's test images, in the order of the assignment of holes.

    Args:
        config: protocol and profile; the profile's `frechet` names the network.
        dataset: a data set of the profile.
        progress: shows the progress, in batches.

    Returns:
        float32 N×D.
    """
    layout, profile = Layout(config.name), config.profile
    set_numerics(device=profile.device, precision="32-true", threads=profile.threads)
    device = torch.device(profile.device)
    bins = by_bin(read_assignment(layout.assignment(dataset)), config.protocol.bins)
    rows = [pair.image_row for pair in next(iter(bins.values()))]  # the same in each bin
    network = build_feature_network(profile.frechet, weights=layout.weights(INCEPTION)).to(device)
    return extract_features(
        network,
        map_images(layout, dataset)[rows],
        device=device,
        progress=progress,
        label=f"{profile.frechet} features of {dataset}",
    )


def write_features(path: Path, features: np.ndarray) -> None:
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.save(file, features)
