"""Time of a training step and of the completion of an image, for every network of a profile.

Uses random images and untrained networks, one after the other in one process. Every phase of a
method is timed separately. Only compare rows of the same run, because timings are noisy.

    python benchmarks/training_step.py --profile demo
    python benchmarks/training_step.py --profile paper --csv reports/reference/throughput_a100.csv
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

from mdrnets.config.load import load_config
from mdrnets.config.profile import Profile
from mdrnets.files.tables import write_table
from mdrnets.layout import Layout
from mdrnets.methods.base import Batch, BuildContext, Method, Phase, Trainable
from mdrnets.methods.building import network_module, resolved_options
from mdrnets.networks.features import build_features
from mdrnets.networks.frozen import freeze
from mdrnets.planning.speed import COLUMNS, COMPLETE
from mdrnets.runtime.numerics import autocast, set_numerics


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--profile", help="name of a file in profiles/ (default: the one in params.yaml)"
    )
    parser.add_argument("--repeats", type=int, default=5, help="timed steps (default: %(default)s)")
    parser.add_argument("--networks", nargs="*", help="networks to time (default: all)")
    parser.add_argument("--csv", type=Path, help="output file, which `make plan` reads")
    options = parser.parse_args()

    config = load_config(options.profile)
    profile = config.profile
    numerics = set_numerics(
        device=profile.device, precision=profile.precision, threads=profile.threads
    )
    rows, measured = [], []
    built: dict[str, Trainable] = {}
    for name, network in config.trained.items():
        torch.manual_seed(0)
        trainable = (
            network_module(network, name)
            .build(
                options=resolved_options(config, name, images=1),
                context=BuildContext(
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
                seconds, memory = _step(trainable, phase, profile, options.repeats)
                measured.append((name, trainable, phase.name, phase.batch_size, seconds, memory))
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
                seconds, memory = _completion(trainable, profile)
                measured.append(
                    (name, trainable, COMPLETE, profile.completion_batch, seconds, memory)
                )
                rows[-1][-1] = f"{profile.completion_batch / seconds:.1f}"
        if name in config.protocol.components:
            built[name] = freeze(trainable)
    headers = ["network", "phase", "batch", "ms a step", "steps", "s in all", "completions/s"]
    print(tabulate(rows, headers, disable_numparse=True))
    if options.csv is not None:
        write_table(
            options.csv,
            COLUMNS,
            [
                (
                    numerics["device"],
                    name,
                    phase,
                    profile.image_size,
                    batch,
                    profile.precision,
                    sum(parameter.numel() for parameter in trainable.parameters()),
                    f"{1 / seconds:.4g}",
                    memory,
                )
                for name, trainable, phase, batch, seconds, memory in measured
            ],
        )


def _batch(size: int, count: int, device: torch.device) -> Batch:
    hole = torch.zeros(count, 1, size, size)
    hole[:, :, size // 4 : 7 * size // 8, size // 4 : 7 * size // 8] = 1  # 39 %
    return Batch(
        image=(torch.rand(count, 3, size, size) * 2 - 1).to(device),
        hole=hole.to(device),
        labels=torch.randint(14, (count, size, size), device=device),
    )


def _step(trainable: Trainable, phase: Phase, profile: Profile, repeats: int) -> tuple[float, int]:
    """Return median seconds and the GPU's peak memory in bytes (0 on a CPU)."""
    device, size = next(trainable.parameters()).device, profile.image_size
    trainable.train()
    if phase.on_start is not None:
        phase.on_start(
            np.random.default_rng(0).integers(0, 256, (200, size, size, 3), dtype=np.uint8)
        )
    if phase.on_enter is not None:
        phase.on_enter()
    seconds = []
    for _ in range(repeats + 1):
        batch = _batch(size, phase.batch_size, device)
        begin = time.perf_counter()
        updates = phase.train_step(batch)
        while True:
            with autocast(device, profile.precision):
                update = next(updates, None)
            if update is None:
                break
            optimiser = phase.optimisers[update.optimiser]
            optimiser.zero_grad(set_to_none=True)
            torch.stack([term.float() for term in update.terms.values()]).sum().backward()
            optimiser.step()
        _synchronise(device)
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds[1:]), _peak(device)


def _completion(method: Method, profile: Profile) -> tuple[float, int]:
    """Return seconds per batch and the GPU's peak memory in bytes (0 on a CPU)."""
    device = next(method.parameters()).device
    method.eval()
    batch = _batch(profile.image_size, profile.completion_batch, device)
    begin = time.perf_counter()
    with torch.inference_mode(), autocast(device, profile.precision):
        method.complete(batch.masked, batch.hole, torch.Generator(device).manual_seed(0))
    _synchronise(device)
    return time.perf_counter() - begin, _peak(device)


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def _peak(device: torch.device) -> int:
    """Return the peak since the last call."""
    if device.type != "cuda":
        return 0
    peak = torch.cuda.max_memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    return peak


if __name__ == "__main__":
    main()
