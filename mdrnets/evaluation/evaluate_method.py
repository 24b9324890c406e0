"""Evaluate a method's completions of a data set's test images: scores, features and summary."""

from dataclasses import dataclass

import numpy as np
import torch

from mdrnets.config.load import Config
from mdrnets.config.profile import INCEPTION
from mdrnets.data.evaluation_set import read_evaluation_set
from mdrnets.data.progress import ProgressBar
from mdrnets.evaluation.scores import (
    Score,
    check_enough,
    read_array,
    read_completions,
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

    test = read_evaluation_set(config, dataset)
    check_enough(test.bins, layout.assignment(dataset))
    completions, outputs = (
        read_completions(config, dataset, method, shape=test.shape, raw=raw)
        for raw in (False, True)
    )
    network = build_feature_network(profile.frechet, weights=layout.weights(INCEPTION)).to(device)
    truth = read_array(
        layout.true_features(dataset),
        shape=(test.count, network.dimensions),
        dtype="float32",
        stage=f"python -m stages.features --profile {config.name} {dataset}",
    )

    scores, features, summaries = [], [], {}
    for number, (bin_name, pairs) in enumerate(test.bins.items()):
        label = f"{method} on {dataset}, {bin_name} %"
        bin_scores = score_pairs(
            pairs,
            completions[number],
            outputs[number],
            images=test.images,
            holes=test.holes,
            variant=protocol.ssim,
            device=device,
            source=layout.completions(dataset, method),
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
        images=test.count,
        ssim=protocol.ssim,
        confidence=protocol.bootstrap.confidence,
        bins=summaries,
    )
    return Evaluation(scores=scores, features=np.stack(features), summary=summary)
