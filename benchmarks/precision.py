"""CPU time of a profile's networks in `bf16-mixed` over that in `32-true`, on one thread.

Steps of both precisions alternate in one process, on random images. The ratio of a phase is the
median of the pairs; `all` weighs the phases of training by their seconds.

    python benchmarks/precision.py --profile real64
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from lightning_fabric import Fabric
from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.performance_page import ROOT
from benchmarks.training_step import random_batch, random_data, start_phase
from mdrnets.config.load import load_config
from mdrnets.errors import UserError
from mdrnets.files.tables import write_table
from mdrnets.methods.base import Method, Phase, Trainable
from mdrnets.planning.counting import CostCounter
from mdrnets.runtime.numerics import autocast, set_numerics
from mdrnets.tracking.provenance import machine
from mdrnets.training.checks import UpdateChecks
from mdrnets.training.history import History
from mdrnets.training.launching import launch
from mdrnets.training.loop import take_step

CPU = torch.device("cpu")
PRECISIONS = ("32-true", "bf16-mixed")
TABLE = ROOT / "benchmarks" / "precision.csv"


class Comparison(NamedTuple):
    """Seconds of one step of a phase (or of 8 completions, with no steps) in both precisions."""

    network: str
    phase: str
    steps: int
    float32: float
    bf16: float
    ratio: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", default="real64")
    parser.add_argument("--pairs", type=int, default=5, help="timed pairs (default: %(default)s)")
    parser.add_argument("--csv", type=Path, default=TABLE)
    options = parser.parse_args()

    config = load_config(options.profile)
    size = config.profile.image_size
    set_numerics(device="cpu", precision="32-true", threads=1)
    fabrics = [launch(device="cpu", devices=1, precision=name) for name in PRECISIONS]
    builder = CostCounter(config)
    rows: list[Comparison] = []
    for name in config.trained:
        trainable = builder.build(name)
        for number, phase in enumerate(trainable.phases()):
            both = _steps(trainable, phase, number, size, fabrics)
            rows.append(Comparison(name, phase.name, phase.steps, *_compare(both, options.pairs)))
        if isinstance(trainable, Method):
            both = _completions(trainable.eval(), size)
            rows.append(Comparison(name, "complete", 0, *_compare(both, options.pairs)))
        print(name, flush=True)
    full = sum(row.steps * row.float32 for row in rows)
    half = sum(row.steps * row.bf16 for row in rows)
    steps = sum(row.steps for row in rows)
    rows.append(Comparison("all", "training", steps, full, half, half / full))
    lines = [(*row[:3], *(f"{value:.3g}" for value in row[3:])) for row in rows]
    print(tabulate(lines, Comparison._fields, disable_numparse=True))
    run = {"profile": options.profile, "pairs": options.pairs, "processor": machine().cpu}
    write_table(
        options.csv, (*Comparison._fields, *run), [(*line, *run.values()) for line in lines]
    )


def _compare(work: list[Callable[[], object]], pairs: int) -> tuple[float, float, float]:
    """Medians of both precisions, and of their ratio, after a pair that is not counted."""
    measured = [tuple(map(_cpu_seconds, work)) for _ in range(pairs + 1)][1:]
    full, half = (statistics.median(column) for column in zip(*measured, strict=True))
    return full, half, statistics.median(b / a for a, b in measured)


def _cpu_seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def _steps(
    trainable: Trainable, phase: Phase, number: int, size: int, fabrics: list[Fabric]
) -> list[Callable[[], object]]:
    """A step of the phase in each precision."""
    batch = start_phase(trainable, number, phase, random_data(size), CPU).batch(1)
    checks = UpdateChecks(History())
    return [
        lambda fabric=fabric: take_step(trainable, phase, batch, fabric, checks, UserError)  # type: ignore[misc]
        for fabric in fabrics
    ]


def _completions(method: Method, size: int) -> list[Callable[[], object]]:
    """The completion of eight images in each precision."""
    batch = random_batch(size, 8, CPU)

    def complete(precision: str) -> None:
        with torch.inference_mode(), autocast(CPU, precision):
            method.complete(batch.masked, batch.hole, torch.Generator().manual_seed(0))

    return [lambda precision=name: complete(precision) for name in PRECISIONS]  # type: ignore[misc]


if __name__ == "__main__":
    main()
