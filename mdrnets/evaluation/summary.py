"""What the scores of one method on one data set come to: the file between evaluation and tables.

Import-light: tables and reports read it without torch.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev

from pydantic import Field

from mdrnets.config.options import Options
from mdrnets.config.validation import validate_options
from mdrnets.errors import UserError
from mdrnets.files import write_text


class Estimate(Options):
    """A value with its confidence interval.

    Attributes:
        value: None where no image has a finite score.
        low: end of the interval.
        high: end of the interval.
        n: images that it is computed from.
        infinite: images left out because their score is infinite (the PSNR of equal images).
    """

    value: float | None
    low: float | None
    high: float | None
    n: int = Field(ge=0)
    infinite: int = Field(ge=0, default=0)


class Distances(Options):
    """Distances between the features of completions and of their ground truth.

    Attributes:
        frechet_name: `FID`, or what it is called with other features.
        frechet: the Fréchet distance.
        kernel_name: `KID`, or what it is called with other features.
        kernel: the kernel distance.
        dimensions: of the features.
        warning: what is wrong with the Fréchet distance here; None: nothing.
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
        means: by metric, as the columns of the scores are called.
        distances: see there.
    """

    means: dict[str, Estimate]
    distances: Distances


class Summary(Options):
    """One method on one data set.

    Attributes:
        dataset: name in the profile.
        method: name in the protocol.
        images: scored in each bin.
        ssim: the variant of SSIM.
        confidence: of all intervals.
        bins: in the order of the protocol.
    """

    dataset: str
    method: str
    images: int = Field(ge=1)
    ssim: str
    confidence: float
    bins: dict[str, BinSummary]


def over_trainings(summaries: Sequence[Summary]) -> Summary:
    """Mean and spread of several trainings of one method.

    The ends of each interval become one standard deviation from the mean: how far trainings
    differ, and not images. Images are counted once for each training. One training stays as it is.
    """
    first, *others = summaries
    if not others:
        return first

    def merged(estimates: Sequence[Estimate]) -> Estimate:
        values = [estimate.value for estimate in estimates if estimate.value is not None]
        complete = len(values) == len(estimates)
        middle, spread = (mean(values), stdev(values)) if complete else (None, None)
        return Estimate(
            value=middle,
            low=None if middle is None or spread is None else middle - spread,
            high=None if middle is None or spread is None else middle + spread,
            n=sum(estimate.n for estimate in estimates),
            infinite=sum(estimate.infinite for estimate in estimates),
        )

    bins = {}
    for name, of_bin in first.bins.items():
        of_all = [summary.bins[name] for summary in summaries]
        distances = of_bin.distances.model_copy(
            update={
                "frechet": merged([b.distances.frechet for b in of_all]),
                "kernel": merged([b.distances.kernel for b in of_all]),
            }
        )
        means = {metric: merged([b.means[metric] for b in of_all]) for metric in of_bin.means}
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
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file; run the evaluate stage") from None
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON ({error}); run the evaluate stage again") from None
    return validate_options(Summary, values, where=path)


class Validation(Options):
    """What is kept of it.

    Attributes:
        images: how many, each with a hole of the last bin.
        trained: L1 in percent over the pixels of the holes, mean over images.
        untrained: the same of the network that the training began with.
        mean_fill: the same of the mean of the image's valid pixels.
        gmacs: multiply-accumulates of one completion, in 10⁹ (convolutions and matrix products).
    """

    images: int
    trained: float
    untrained: float
    mean_fill: float
    gmacs: float
