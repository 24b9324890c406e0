"""The summary of one method's scores on one data set: the file between evaluation and tables.

Import-light: tables and reports read it without importing torch.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev

from pydantic import Field

from mdrnets.config.options import Options
from mdrnets.files import write_text
from mdrnets.files.text import read_json_as


class Estimate(Options):
    """A value with its confidence interval.

    Attributes:
        value: None if no image has a finite score.
        low: lower end of the interval.
        high: upper end of the interval.
        n: number of images that it is computed from.
        infinite: number of images with an infinite score (the PSNR of equal images), not in `n`.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int = Field(ge=0)
    infinite: int = Field(ge=0, default=0)


class Distances(Options):
    """Distances between the features of completions and of their ground truth.

    Attributes:
        frechet_name: `FID`, or the name with other features.
        frechet: the Fréchet distance.
        kernel_name: `KID`, or the name with other features.
        kernel: the kernel distance.
        dimensions: number of dimensions of the features.
        warning: a reason not to trust the Fréchet distance, or None.
    """

    frechet_name: str
    frechet: Estimate
    kernel_name: str
    kernel: Estimate
    dimensions: int = Field(ge=1)
    warning: str | None


class BinSummary(Options):
    """One bin of hole ratios.

    Attributes:
        means: mean of each metric, by the names of the scores' columns.
        distances: distances between the features of completions and ground truth.
    """

    means: dict[str, Estimate]
    distances: Distances


class Summary(Options):
    """One method on one data set.

    Attributes:
        dataset: name in the profile.
        method: name in the protocol.
        images: number of images in each bin.
        ssim: variant of SSIM.
        confidence: confidence of all intervals.
        bins: summaries by bin, in the order of the protocol.
    """

    dataset: str
    method: str
    images: int = Field(ge=1)
    ssim: str
    confidence: float
    bins: dict[str, BinSummary]


def over_trainings(summaries: Sequence[Summary]) -> Summary:
    """Mean and spread of several trainings of one method.

    The interval becomes the mean ± one standard deviation of the trainings; it no longer describes
    the variation between images. Images are counted once for each training. The summary of a
    single training is returned unchanged.
    """
    first, *others = summaries
    if not others:
        return first

    def combine(estimates: Sequence[Estimate]) -> Estimate:
        n = sum(estimate.n for estimate in estimates)
        infinite = sum(estimate.infinite for estimate in estimates)
        values = [estimate.value for estimate in estimates if estimate.value is not None]
        if len(values) < len(estimates):
            return Estimate(value=None, low=None, high=None, n=n, infinite=infinite)
        middle, spread = mean(values), stdev(values)
        low, high = middle - spread, middle + spread
        return Estimate(value=middle, low=low, high=high, n=n, infinite=infinite)

    bins = {}
    for name, bin_summary in first.bins.items():
        same_bin = [summary.bins[name] for summary in summaries]
        distances = bin_summary.distances.model_copy(
            update={
                "frechet": combine([summary.distances.frechet for summary in same_bin]),
                "kernel": combine([summary.distances.kernel for summary in same_bin]),
            }
        )
        means = {
            metric: combine([summary.means[metric] for summary in same_bin])
            for metric in bin_summary.means
        }
        bins[name] = BinSummary(means=means, distances=distances)
    return first.model_copy(update={"bins": bins})


def save_summary(path: Path, summary: Summary) -> None:
    text = json.dumps(summary.model_dump(), indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def load_summary(path: Path) -> Summary:
    """Read a summary.

    Raises:
        UserError: no such file, or another content.
    """
    return read_json_as(Summary, path, remedy="run the evaluate stage")


class Validation(Options):
    """A trained method compared with its untrained network, on validation images.

    Attributes:
        images: number of images, each with a hole of the largest bin.
        trained: L1 over the hole in percent, mean over images.
        untrained: the same for the untrained network.
        mean_fill: the same for holes filled with the mean colour of the valid pixels.
        gmacs: multiply-accumulates of a completion, in 10⁹ (convolutions and matrix products);
            the mean over the images.
    """

    images: int
    trained: float
    untrained: float
    mean_fill: float
    gmacs: float
