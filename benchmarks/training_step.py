"""Time, share of the peak and memory of a training step and of a completion, for every network.

Uses random images and untrained networks, one after the other in one process, with the loop's own
step: memory format, copies to the device, and the checks of losses and gradients are part of the
time; drawing a batch, which happens in other threads, is not. Every phase is timed separately. Only
compare rows of the same run, because timings are noisy. Runs in a bundle as well.

    python benchmarks/training_step.py --profile demo
    python benchmarks/training_step.py --profile paper --csv reports/reference/throughput_a100.csv
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mdrnets.config.load import load_config
from mdrnets.config.profile import Profile
from mdrnets.data.classes import CLASSES
from mdrnets.data.dataset import TrainingData
from mdrnets.errors import UserError
from mdrnets.execution.program import profile_parser
from mdrnets.files.tables import field_names, write_table
from mdrnets.methods.base import Batch, Method, Phase, Trainable
from mdrnets.methods.compiling import compile_networks
from mdrnets.methods.numerics import set_profile_numerics
from mdrnets.planning.counting import CostCounter
from mdrnets.planning.speed import COMPLETE, Measurement, Speed, find_device
from mdrnets.runtime.numerics import autocast
from mdrnets.training.checks import UpdateChecks
from mdrnets.training.history import History
from mdrnets.training.launching import launch
from mdrnets.training.loop import take_step
from mdrnets.training.sampling import BatchSampler

IMAGES = 64
HOLE = (0.25, 0.875)
"""The edges of the square hole, as shares of the image: it covers 39 %."""
WARM_UP = 2
"""Steps and completions before those that are timed."""


@dataclass(frozen=True)
class Timing:
    """What was measured of a phase, or of a method's completions.

    Attributes:
        phase: of the training, or `complete`.
        batch: number of images.
        steps: of the phase; 0 for completions.
        seconds: of a step.
        memory: peak on the GPU in bytes; 0 on a CPU.
        macs: multiply-accumulates of a step.
    """

    network: str
    phase: str
    batch: int
    steps: int
    seconds: float
    memory: int
    macs: float
    parameters: int


def main() -> None:
    parser = profile_parser(None, __doc__)
    parser.add_argument("--repeats", type=int, default=5, help="timed steps (default: %(default)s)")
    parser.add_argument("--networks", nargs="*", help="networks to time (default: all)")
    parser.add_argument("--csv", type=Path, help="output file, which `make plan` reads")
    options = parser.parse_args()

    config = load_config(options.profile)
    profile = config.profile
    numerics = set_profile_numerics(profile)
    fabric = launch(device=profile.device, devices=1, precision=profile.precision)
    counter, builder = CostCounter(config), CostCounter(config)  # their components are shared
    timings: list[Timing] = []
    for name in options.networks or config.trained:
        cost = counter.count(name)
        trainable = builder.build(name)
        macs = {phase.name: float(phase.step.macs) for phase in cost.phases}
        if cost.completion is not None:
            hole = (HOLE[1] - HOLE[0]) ** 2
            macs[COMPLETE] = profile.completion_batch * cost.completion(hole).macs
        for phase, batch, steps, seconds, memory in _time_all(
            trainable, profile, fabric, options.repeats
        ):
            timings.append(
                Timing(name, phase, batch, steps, seconds, memory, macs[phase], cost.parameters)
            )

    device = find_device(numerics["device"], profile.device)
    speed = None
    if device is not None:
        speed = Speed(device, precision=profile.precision, threads=profile.threads)
    print(f"{numerics['device']}, {profile.precision}, {profile.image_size}²")
    print(tabulate(list(_rows(timings, speed)), HEADERS, disable_numparse=True))
    if options.csv is not None:
        write_table(
            options.csv,
            field_names(Measurement),
            [
                (
                    numerics["device"],
                    timing.network,
                    timing.phase,
                    profile.image_size,
                    timing.batch,
                    profile.precision,
                    speed.cores if speed else 1,
                    timing.parameters,
                    f"{1 / timing.seconds:.4g}",
                    timing.memory,
                )
                for timing in timings
            ],
        )


HEADERS = ("network", "phase", "batch", "ms/step", "images/s", "% of peak", "GiB", "hours in all")


def _rows(timings: list[Timing], speed: Speed | None) -> Iterator[tuple[str, ...]]:
    for timing in timings:
        share = f"{200 * timing.macs / timing.seconds / speed.peak:.0f}" if speed else ""
        yield (
            timing.network,
            timing.phase,
            str(timing.batch),
            f"{1000 * timing.seconds:.1f}",
            f"{timing.batch / timing.seconds:.1f}",
            share,
            f"{timing.memory / 2**30:.1f}" if timing.memory else "",
            f"{timing.steps * timing.seconds / 3600:.1f}" if timing.steps else "",
        )


def _time_all(
    trainable: Trainable, profile: Profile, fabric: Fabric, repeats: int
) -> Iterator[tuple[str, int, int, float, int]]:
    """Yield phase, batch size, steps of the phase, seconds of a step and peak memory."""
    fabric.to_device(trainable)
    memory_format = torch.channels_last if profile.channels_last else torch.contiguous_format
    trainable.to(memory_format=memory_format)  # type: ignore[call-overload]
    phases = list(trainable.phases())
    if profile.compile:
        compile_networks(trainable)
    data = random_data(profile.image_size)
    for number, phase in enumerate(phases):
        sampler = start_phase(trainable, number, phase, data, fabric.device, memory_format)
        seconds, memory = _time_phase(trainable, phase, sampler, fabric, repeats)
        yield phase.name, phase.batch_size, phase.steps, seconds, memory
    if isinstance(trainable, Method):
        seconds, memory = _time_completion(trainable, profile)
        yield COMPLETE, profile.completion_batch, 0, seconds, memory


def start_phase(
    trainable: Trainable,
    number: int,
    phase: Phase,
    data: TrainingData,
    device: torch.device,
    memory_format: torch.memory_format = torch.contiguous_format,
) -> BatchSampler:
    """Start a phase, the `number`-th one, as the training loop does; returns its sampler."""
    trainable.train()
    if phase.on_start is not None:
        phase.on_start(data.images)
    phase.on_enter()
    return BatchSampler(
        data=data,
        seed=0,
        phase=number,
        batch_size=phase.batch_size,
        labels=phase.labels,
        image_map=phase.image_map,
        device=device,
        memory_format=memory_format,
    )


def _time_phase(
    trainable: Trainable,
    phase: Phase,
    sampler: BatchSampler,
    fabric: Fabric,
    repeats: int,
) -> tuple[float, int]:
    """Return the mean seconds of a step, and the GPU's peak memory in bytes (0 on a CPU)."""
    drawn = [sampler.draw(step + 1) for step in range(WARM_UP + repeats)]
    checks = UpdateChecks(History())
    begin = 0.0
    for step, batch in enumerate(drawn):
        if step == WARM_UP:
            checks.read_pending()
            _synchronise(fabric.device)
            begin = time.perf_counter()
        take_step(trainable, phase, sampler.transfer(batch), fabric, checks, UserError)
    checks.read_pending()
    _synchronise(fabric.device)
    return (time.perf_counter() - begin) / repeats, _peak(fabric.device)


def _time_completion(method: Method, profile: Profile) -> tuple[float, int]:
    """Return seconds of a batch, and the GPU's peak memory in bytes (0 on a CPU)."""
    device = next(method.parameters()).device
    method.eval()
    batch = random_batch(profile.image_size, profile.completion_batch, device)
    seconds = 0.0
    for _ in range(2):  # the first is a warm-up
        begin = time.perf_counter()
        with torch.inference_mode(), autocast(device, profile.precision):
            method.complete(batch.masked, batch.hole, torch.Generator(device).manual_seed(0))
        _synchronise(device)
        seconds = time.perf_counter() - begin
    return seconds, _peak(device)


def random_data(size: int) -> TrainingData:
    """Noise, with label maps and one hole."""
    generator = np.random.default_rng(0)
    hole = np.zeros((1, size, size), dtype=bool)
    edge = slice(*(int(share * size) for share in HOLE))
    hole[:, edge, edge] = True
    rows = np.arange(IMAGES)
    return TrainingData(
        images=generator.integers(0, 256, (IMAGES, size, size, 3), dtype=np.uint8),
        image_rows=rows,
        labels=generator.integers(0, len(CLASSES), (IMAGES, size, size), dtype=np.uint8),
        labelled_rows=rows,
        label_rows=rows,
        holes=hole,
        hole_rows=np.zeros(1, dtype=np.int64),
    )


def random_batch(size: int, count: int, device: torch.device) -> Batch:
    """Noise with one hole."""
    hole = torch.zeros(count, 1, size, size, device=device)
    edge = slice(*(int(share * size) for share in HOLE))
    hole[:, :, edge, edge] = 1
    return Batch(image=torch.rand(count, 3, size, size, device=device) * 2 - 1, hole=hole)


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
