"""What a training step and the completion of an image cost, for every network of a profile.

On random images and untrained networks, one after the other in one process; every phase of a method
is timed apart. Machines are noisy: compare rows of one run, not of two.

    python benchmarks/training_step.py --profile demo
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mdrnets.config import load_config
from mdrnets.layout import Layout
from mdrnets.methods.base import Batch, Method, Phase, Setting, Trainable
from mdrnets.networks.features import build_features
from mdrnets.networks.frozen import freeze
from mdrnets.training.building import network_module, resolved_options
from mdrnets.training.numerics import set_numerics


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", help="a file of profiles/; by default that of params.yaml")
    parser.add_argument("--repeats", type=int, default=5, help="timed steps (default: %(default)s)")
    parser.add_argument("--networks", nargs="*", help="only these")
    options = parser.parse_args()

    config = load_config(options.profile)
    profile = config.profile
    set_numerics(device=profile.device, precision=profile.precision, threads=profile.threads)
    rows, built = [], {}
    for name, network in config.trained.items():
        torch.manual_seed(0)
        trainable = (
            network_module(network, name)
            .build(
                options=resolved_options(config, name, images=1),
                setting=Setting(
                    image_size=profile.image_size,
                    features=lambda wanted: build_features(
                        wanted,
                        perceptual=profile.perceptual,
                        weights=Layout(config.name).weights(wanted),
                    ),
                    frozen={part: built[part] for part in network.uses},
                ),
            )
            .to(profile.device)
        )
        if not options.networks or name in options.networks:
            for phase in trainable.phases():
                seconds = _step_seconds(trainable, phase, profile.image_size, options.repeats)
                total = seconds * phase.steps
                rows.append(
                    [
                        name,
                        phase.name,
                        phase.batch_size,
                        f"{1000 * seconds:.0f}",
                        phase.steps,
                        f"{total:.0f}",
                        "",
                    ]
                )
            if isinstance(trainable, Method):
                seconds = _completion_seconds(
                    trainable, profile.image_size, profile.completion_batch
                )
                rows[-1][-1] = f"{profile.completion_batch / seconds:.1f}"
        if name in config.protocol.parts:
            built[name] = freeze(trainable)
    headers = ["network", "phase", "batch", "ms a step", "steps", "s in all", "completions/s"]
    print(tabulate(rows, headers, disable_numparse=True))


def _batch(size: int, count: int, device: torch.device) -> Batch:
    hole = torch.zeros(count, 1, size, size)
    hole[:, :, size // 4 : 7 * size // 8, size // 4 : 7 * size // 8] = 1  # 39 %
    return Batch(
        image=(torch.rand(count, 3, size, size) * 2 - 1).to(device),
        hole=hole.to(device),
        labels=torch.randint(14, (count, size, size), device=device),
    )


def _step_seconds(trainable: Trainable, phase: Phase, size: int, repeats: int) -> float:
    device = next(trainable.parameters()).device
    trainable.train()
    if phase.start is not None:
        phase.start(np.random.default_rng(0).integers(0, 256, (200, size, size, 3), dtype=np.uint8))
    if phase.enter is not None:
        phase.enter()
    seconds = []
    for _ in range(repeats + 1):
        batch = _batch(size, phase.batch_size, device)
        begin = time.perf_counter()
        for update in phase.train_step(batch):
            optimiser = phase.optimisers[update.optimiser]
            optimiser.zero_grad(set_to_none=True)
            torch.stack(list(update.terms.values())).sum().backward()
            optimiser.step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds[1:])


def _completion_seconds(method: Method, size: int, count: int) -> float:
    device = next(method.parameters()).device
    method.eval()
    batch = _batch(size, count, device)
    begin = time.perf_counter()
    with torch.inference_mode():
        method.complete(batch.masked, batch.hole, torch.Generator(device).manual_seed(0))
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
