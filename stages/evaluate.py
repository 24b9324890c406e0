"""Score a method's completions of a data set's test images.

Writes runs/PROFILE/scores/DATASET/METHOD.csv (each image), METHOD.json (means, distances and their
intervals, by bin) and runs/PROFILE/features/DATASET/METHOD.npy (float32 bins×images×D).
"""

import sys
import time
from collections.abc import Sequence

import numpy as np
import torch

from mdrnets.config.profile import INCEPTION
from mdrnets.data.assignment import by_bin, read_assignment
from mdrnets.evaluation.scores import (
    check_enough,
    read_array,
    score_pairs,
    summarise_bin,
    write_features,
    write_scores,
)
from mdrnets.evaluation.summary import Summary, save_summary
from mdrnets.execution.command import StageRun, execute, stage_parser
from mdrnets.metrics.features import build_feature_network, extract_features
from mdrnets.runtime.numerics import set_numerics
from mdrnets.runtime.seeds import derived_seed


def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument("dataset", help="a data set of the profile")
    parser.add_argument("method", help="a method of the profile")
    options = parser.parse_args(arguments)
    wildcards = {"dataset": options.dataset, "method": options.method}
    return execute("evaluate", wildcards, options.profile, _run)


def _run(run: StageRun) -> None:
    dataset, method = run.wildcards["dataset"], run.wildcards["method"]
    layout, protocol, profile = run.layout, run.config.protocol, run.config.profile
    set_numerics(device=profile.device, precision="32-true", threads=profile.threads)
    device = torch.device(profile.device)
    begin = time.monotonic()

    bins = by_bin(read_assignment(layout.assignment(dataset)), protocol.bins)
    check_enough(bins, layout.assignment(dataset))
    images = np.load(layout.images(dataset), mmap_mode="r")
    holes = np.load(layout.holes(), mmap_mode="r")
    count = len(next(iter(bins.values())))
    paths = layout.completions(dataset, method), layout.raw_outputs(dataset, method)
    completions, outputs = (
        read_array(
            path,
            shape=(len(bins), count, *images.shape[1:]),
            dtype="uint8",
            stage=f"python -m stages.complete --profile {run.config.name} {dataset} {method}",
        )
        for path in paths
    )
    network = build_feature_network(profile.frechet, weights=layout.weights(INCEPTION)).to(device)
    truth = read_array(
        layout.features(dataset, "ground_truth"),
        shape=(count, network.dimensions),
        dtype="float32",
        stage=f"python -m stages.features --profile {run.config.name} {dataset}",
    )

    scores, features, summaries = [], [], {}
    for number, (name, pairs) in enumerate(bins.items()):
        label = f"{method} on {dataset}, {name} %"
        of_bin = score_pairs(
            pairs,
            completions[number],
            outputs[number],
            images=images,
            holes=holes,
            variant=protocol.ssim,
            device=device,
            source=paths[0],
            progress=run.progress,
            label=f"{label}: scores",
        )
        vectors = extract_features(
            network,
            completions[number],
            device=device,
            progress=run.progress,
            label=f"{label}: features",
        )
        summaries[name] = summarise_bin(
            of_bin,
            vectors,
            truth,
            network=profile.frechet,
            bootstrap=protocol.bootstrap,
            halves=protocol.frechet.resamples,
            seed=derived_seed(protocol.seed, "intervals"),
        )
        scores += of_bin
        features.append(vectors)

    write_scores(layout.scores(dataset, method), scores)
    write_features(layout.features(dataset, method), np.stack(features))
    save_summary(
        layout.summary(dataset, method),
        Summary(
            dataset=dataset,
            method=method,
            images=count,
            ssim=protocol.ssim,
            confidence=protocol.bootstrap.confidence,
            bins=summaries,
        ),
    )
    # In MLflow the scores are then there to be compared.
    for name, summary in summaries.items():
        distances = {"frechet": summary.distances.frechet, "kernel": summary.distances.kernel}
        for metric, estimate in (summary.means | distances).items():
            if estimate.value is not None:
                run.note(f"{metric} {name}", estimate.value)
    run.note("images_per_second", len(scores) / (time.monotonic() - begin))


if __name__ == "__main__":
    sys.exit(main())
