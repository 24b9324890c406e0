"""Compute the features of a data set's test images, once for all methods.

Writes runs/PROFILE/features/DATASET/ground_truth.npy: float32 images×D, in the order of the
assignment of holes. The profile's `frechet` names the network.
"""

import sys

from mdrnets.execution.command import stage_command
from mdrnets.execution.run import StageRun


@stage_command("dataset")
def main(run: StageRun) -> None:
    from mdrnets.evaluation.features import extract_truth_features, write_features

    dataset = run.wildcards["dataset"]
    features = extract_truth_features(run.config, dataset=dataset, progress=run.progress)
    write_features(run.layout.true_features(dataset), features)


if __name__ == "__main__":
    sys.exit(main())
