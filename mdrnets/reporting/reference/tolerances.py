"""The accepted differences from a reference run, by kind of metric and by method."""

from collections.abc import Iterable

from mdrnets.reporting.reference.run import Tolerance, Tolerances

SAME = "The same code, seed, processor, libraries and threads give the same bytes."
OTHER = (
    "On another processor, or with code that sums in another order, the last bits differ, and a "
    "training lets the difference grow. Measured once, with the demo profile and AVX2 in place of "
    "AVX-512 (benchmarks/other_processor.csv), as the largest difference of any cell: MDRNets and "
    "its variants 10 % in L1, 1.1 dB in PSNR, 0.034 in SSIM, 12 % in the Fréchet distance, 0.014 "
    "in the kernel distance. DeepFillv2 and PIC differ less, PConv and CTSDG by less than a fifth "
    "of that; DSI and ICT by up to three times as much. About twice that is allowed."
)
EXACT = Tolerance(absolute=0, relative=0)
LOOSE = {
    "L1": Tolerance(absolute=0, relative=0.2),
    "PSNR": Tolerance(absolute=2.1, relative=0),
    "SSIM": Tolerance(absolute=0.07, relative=0),
    "FID": Tolerance(absolute=0, relative=0.24),
    "KID": Tolerance(absolute=0.027, relative=0),
}
"""By kind of metric, see `metric_kind`."""
FACTORS = {"pconv": 0.2, "ctsdg": 0.2, "dsi": 3.0, "ict": 3.0}
"""By method, where differences of a training grow less or more than in MDRNets."""


def same_setting(metrics: Iterable[str]) -> Tolerances:
    """For a repetition on a CPU with the same code and settings: none."""
    return Tolerances(reason=SAME, metrics=dict.fromkeys(metrics, EXACT))


def other_setting(metrics: Iterable[str]) -> Tolerances:
    """For a repetition that cannot give the same bytes."""
    loose = {metric: LOOSE[metric_kind(metric)] for metric in metrics}
    return Tolerances(reason=OTHER, metrics=loose, factors=FACTORS)


def metric_kind(metric: str) -> str:
    """`raw PSNR` → `PSNR`, `FD(effnet-lite0)` → `FID`."""
    last = metric.split()[-1].partition("(")[0]
    return {"FD": "FID", "KD": "KID"}.get(last, last)
