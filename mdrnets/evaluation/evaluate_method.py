"""Evaluates a method's completions of a data set's test images: scores, features and summary."""

from dataclasses import dataclass

import numpy as np
import torch

from mdrnets.config.load import Config
from mdrnets.config.profile import INCEPTION
from mdrnets.data.assignment import by_bin, read_assignment
from mdrnets.data.dataset import map_holes, map_images
from mdrnets.data.progress import ProgressBar
from mdrnets.evaluation.scores import (
    Score,
    check_enough,
    read_array,
    score_pairs,
    summarise_bin,
)
from mdrnets.evaluation.summary import Summary
from mdrnets.layout import Layout
from mdrnets.metrics.features import build_feature_network, extract_features
from mdrnets.runtime.numerics import set_numerics
from mdrnets.runtime.seeds import derived_seed


@dataclass(frozen=True)
class Evaluation:
    """One method on one data set.

    Attributes:
        scores: one for each image in each bin.
        features: float32 bins×images×D, of the completions.
        summary: means, distances and their intervals, by bin.
    """

    scores: list[Score]
    features: np.ndarray
    summary: Summary

    def measurements(self) -> dict[str, float]:
        """The summary's values by metric and bin, for the record of the execution."""
        values = {}
        for bin_name, summary in self.summary.bins.items():
            distances = {"frechet": summary.distances.frechet, "kernel": summary.distances.kernel}
            for metric, estimate in (summary.means | distances).items():
                if estimate.value is not None:
                    values[f"{metric} {bin_name}"] = estimate.value
        return values


def evaluate_method(
    config: Config, *, dataset: str, method: str, progress: ProgressBar
) -> Evaluation:
    """Score the completions of each bin, and compare their features with the ground truth's.

    Args:
        config: protocol and profile.
        dataset: a data set of the profile.
        method: a method of the profile.
        progress: shows the progress, in batches.

    Raises:
        UserError: completions or features are missing or have another shape, a completion differs
            from the ground truth outside its hole, or a bin has too few images.
    """
    layout, protocol, profile = Layout(config.name), config.protocol, config.profile
    set_numerics(device=profile.device, precision="32-true", threads=profile.threads)
    device = torch.device(profile.device)

    bins = by_bin(read_assignment(layout.assignment(dataset)), protocol.bins)
    check_enough(bins, layout.assignment(dataset))
    images = map_images(layout, dataset)
    holes = map_holes(layout)
    count = len(next(iter(bins.values())))
    paths = layout.completions(dataset, method), layout.raw_outputs(dataset, method)
    completions, outputs = (
        read_array(
            path,
            shape=(len(bins), count, *images.shape[1:]),
            dtype="uint8",
            stage=f"python -m stages.complete --profile {config.name} {dataset} {method}",
        )
        for path in paths
    )
    network = build_feature_network(profile.frechet, weights=layout.weights(INCEPTION)).to(device)
    truth = read_array(
        layout.features(dataset, "ground_truth"),
        shape=(count, network.dimensions),
        dtype="float32",
        stage=f"python -m stages.features --profile {config.name} {dataset}",
    )

    scores, features, summaries = [], [], {}
    for number, (bin_name, pairs) in enumerate(bins.items()):
        label = f"{method} on {dataset}, {bin_name} %"
        bin_scores = score_pairs(
            pairs,
            completions[number],
            outputs[number],
            images=images,
            holes=holes,
            variant=protocol.ssim,
            device=device,
            source=paths[0],
            progress=progress,
            label=f"{label}: scores",
        )
        bin_features = extract_features(
            network,
            completions[number],
            device=device,
            progress=progress,
            label=f"{label}: features",
        )
        summaries[bin_name] = summarise_bin(
            bin_scores,
            bin_features,
            truth,
            network=profile.frechet,
            bootstrap=protocol.bootstrap,
            halves=protocol.frechet.resamples,
            seed=derived_seed(protocol.seed, "intervals"),
        )
        scores += bin_scores
        features.append(bin_features)

    summary = Summary(
        dataset=dataset,
        method=method,
        images=count,
        ssim=protocol.ssim,
        confidence=protocol.bootstrap.confidence,
        bins=summaries,
    )
    return Evaluation(scores=scores, features=np.stack(features), summary=summary)
