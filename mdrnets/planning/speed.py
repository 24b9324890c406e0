"""How long a step takes on a device: as measured, or estimated from its operations.

Import-light. The measurements are in `reports/reference/throughput_DEVICE.csv`, which
`python benchmarks/training_step.py --csv FILE` writes.
"""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mdrnets.files.tables import read_rows

REMEDY = "measure again"
UTILISATION = 0.25
"""Share of the peak that convolutions of these sizes are assumed to reach without measurements."""
KERNEL_SECONDS = 10e-6
"""The shortest time from one kernel to the next on a GPU, however small they are."""
LOADING_SECONDS = 0.15 / 16 / 8 / 256**2
"""Time of one core to prepare a pixel of a batch: 16 batches of 8 at 256² (docs/performance.md)."""
COMPLETE = "complete"
"""The phase of a method's completions, in the table of measurements."""


@dataclass(frozen=True)
class Cost:
    """The cost of a step or of a completion.

    Attributes:
        macs: multiply-accumulates of convolutions and matrix products.
        kernels: number of operations that a GPU starts one by one.
    """

    macs: float
    kernels: float


@dataclass(frozen=True)
class Device:
    """A device's data sheet.

    Attributes:
        title: as printed.
        peak: operations per second, by precision; dense, without TensorFloat-32.
        memory: bytes.
        kernel_seconds: see `KERNEL_SECONDS`; 0 on a CPU, which has no queue of kernels.
    """

    title: str
    peak: Mapping[str, float]
    memory: int
    kernel_seconds: float = KERNEL_SECONDS


def _gpu(title: str, *, bf16: float, fp32: float, gib: int) -> Device:
    return Device(title, {"bf16-mixed": bf16 * 1e12, "32-true": fp32 * 1e12}, gib * 2**30)


CPU = Device("one CPU core", {"bf16-mixed": 64e9, "32-true": 64e9}, 16 * 2**30, 0.0)
"""A core of 2 GHz with AVX2: 2 multiply-adds of 8 numbers a cycle."""
DEVICES = {
    "a100": _gpu("NVIDIA A100 80 GB", bf16=312, fp32=19.5, gib=80),
    "h100": _gpu("NVIDIA H100 SXM 80 GB", bf16=989, fp32=67, gib=80),
    "h200": _gpu("NVIDIA H200 141 GB", bf16=989, fp32=67, gib=141),
    "l40s": _gpu("NVIDIA L40S 48 GB", bf16=362, fp32=91.6, gib=48),
    "rtx4090": _gpu("NVIDIA RTX 4090 24 GB", bf16=165, fp32=82.6, gib=24),
    "cpu": CPU,
}


def find_device(name: str, kind: str) -> Device | None:
    """The data sheet of a device, or None.

    Args:
        name: that the driver of a GPU reports.
        kind: `cpu` or `cuda`.
    """
    if kind == "cpu":
        return CPU
    plain = name.replace(" ", "").lower()
    return next((device for key, device in DEVICES.items() if key in plain), None)


@dataclass(frozen=True)
class Measurement:
    """A row of the table.

    Attributes:
        device: the name that its driver reports.
        phase: of the training, or `complete`.
        cores: that the process computed on; 1 for a GPU.
        parameters: of the network, since its time depends on its width.
        peak_memory_bytes: of the GPU; 0 on a CPU, where it is not measured.
    """

    device: str
    network: str
    phase: str
    image_size: int
    batch: int
    precision: str
    cores: int
    parameters: int
    steps_per_second: float
    peak_memory_bytes: int


class Speed:
    """How fast a process is on one device at one precision.

    Attributes:
        cores: that it computes on; 1 for a GPU.
        peak: operations per second of them all.
        measurements: of such processes.
    """

    def __init__(
        self,
        device: Device,
        *,
        precision: str,
        threads: int = 1,
        measurements: Iterable[Measurement] = (),
    ) -> None:
        self.device = device
        self.cores = threads if device is CPU else 1
        self.peak = self.cores * device.peak[precision]
        self.measurements = [
            m for m in measurements if (m.precision, m.cores) == (precision, self.cores)
        ]

    def find_measurement(
        self, *, network: str, phase: str, image_size: int, batch: int, parameters: int
    ) -> Measurement | None:
        """Return the measurement of exactly this phase, if there is one."""
        key = (network, phase, image_size, batch, parameters)
        for m in self.measurements:
            if (m.network, m.phase, m.image_size, m.batch, m.parameters) == key:
                return m
        return None

    def estimate_seconds(self, cost: Cost, *, utilisation: float = UTILISATION) -> float:
        """Estimate the seconds of a step: those of its arithmetic or of its kernels, if longer."""
        arithmetic = 2 * cost.macs / (self.peak * utilisation)
        return max(arithmetic, cost.kernels * self.device.kernel_seconds)


def loading_seconds(*, images: float, image_size: int, threads: int, step: float) -> float:
    """Seconds that a step waits for its batch.

    Args:
        images: of the batch, on one rank.
        image_size: H = W in pixels.
        threads: threads that prepare batches ahead; 0: the batch is prepared between two steps.
        step: seconds of the step itself.
    """
    seconds = LOADING_SECONDS * images * image_size**2
    return max(0.0, seconds / threads - step) if threads else seconds


def median_utilisation(speed: Speed, measured: Iterable[tuple[Cost, Measurement]]) -> float:
    """Return the median share of the peak that measured steps reach; `UTILISATION` without any."""
    shares = [2 * cost.macs * m.steps_per_second / speed.peak for cost, m in measured]
    return statistics.median(shares) if shares else UTILISATION


def read_measurements(path: Path) -> list[Measurement]:
    """Read the table of a device; empty if there is none.

    Raises:
        UserError: the table has other columns, or a value is not a number.
    """
    return read_rows(path, Measurement, remedy=REMEDY) if path.is_file() else []
