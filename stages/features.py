"""Compute the features of a data set's test images, once for all methods.

Writes runs/PROFILE/features/DATASET/ground_truth.npy: float32 images×D, in the order of the
assignment of holes. The profile's `frechet` names the network.
"""

import sys
from collections.abc import Sequence

import numpy as np
import torch

from mdrnets.config.profile import INCEPTION
from mdrnets.data.assignment import by_bin, read_assignment
from mdrnets.evaluation.scores import write_features
from mdrnets.execution.command import StageRun, execute, stage_parser
from mdrnets.metrics.features import build_feature_network, extract_features
from mdrnets.runtime.numerics import set_numerics


def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument("dataset", help="a data set of the profile")
    options = parser.parse_args(arguments)
    return execute("features", {"dataset": options.dataset}, options.profile, _run)


def _run(run: StageRun) -> None:
    dataset = run.wildcards["dataset"]
    layout, protocol, profile = run.layout, run.config.protocol, run.config.profile
    set_numerics(device=profile.device, precision="32-true", threads=profile.threads)
    device = torch.device(profile.device)

    bins = by_bin(read_assignment(layout.assignment(dataset)), protocol.bins)
    rows = [pair.image_row for pair in next(iter(bins.values()))]  # the same in each bin
    images = np.load(layout.images(dataset), mmap_mode="r")[rows]
    network = build_feature_network(profile.frechet, weights=layout.weights(INCEPTION)).to(device)
    features = extract_features(
        network,
        images,
        device=device,
        progress=run.progress,
        label=f"{profile.frechet} features of {dataset}",
    )
    write_features(layout.features(dataset, "ground_truth"), features)


if __name__ == "__main__":
    sys.exit(main())
