"""Scores of the completions of one method on one data set, by image and by bin.

Table 1 compares the composite (completion inside the hole, original pixels outside) with the
ground truth, over the whole image. Composites share most of their pixels with the ground truth.
Therefore the scores over the hole only, and of the output before compositing, are kept as well.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mdrnets.config.constants import MIN_TEST_IMAGES
from mdrnets.config.load import Config
from mdrnets.config.protocol import Bootstrap
from mdrnets.data.assignment import Pair, select
from mdrnets.data.progress import ProgressBar, no_progress_bar
from mdrnets.errors import UserError
from mdrnets.evaluation.summary import BinSummary, Distances, Estimate
from mdrnets.files.arrays import map_array
from mdrnets.files.tables import field_names
from mdrnets.layout import Layout
from mdrnets.metrics.frechet import frechet_distance
from mdrnets.metrics.intervals import bootstrap_mean, half_jackknife
from mdrnets.metrics.kid import kernel_distance
from mdrnets.metrics.names import frechet_name, kernel_name
from mdrnets.metrics.pixel import l1, psnr
from mdrnets.metrics.ssim import Variant, ssim

BATCH = 16
IMAGES_PER_DIMENSION = 10
"""With fewer, the Fréchet distance gets a warning."""


@dataclass(frozen=True)
class Score:
    """The scores of one image with one hole.

    Attributes:
        image: its name.
        bin: of Table 1.
        hole: the hole's name.
        ratio: hole pixels / all pixels.
        l1, psnr, ssim: of the composite, over the whole image: %, dB, −1 to 1.
        hole_l1, hole_psnr: of the composite, over the hole alone.
        raw_l1, raw_psnr, raw_ssim: of the output before compositing, over the whole image.
    """

    image: str
    bin: str
    hole: str
    ratio: float
    l1: float
    psnr: float
    ssim: float
    hole_l1: float
    hole_psnr: float
    raw_l1: float
    raw_psnr: float
    raw_ssim: float


METRICS = tuple(field_names(Score)[4:])


def score_pairs(
    pairs: Sequence[Pair],
    completions: np.ndarray,
    outputs: np.ndarray,
    *,
    images: np.ndarray,
    holes: np.ndarray,
    variant: Variant,
    device: torch.device,
    source: Path,
    progress: ProgressBar = no_progress_bar,
    label: str = "scores",
) -> list[Score]:
    """Score each pair of one bin.

    Args:
        pairs: rows of an image and of its hole.
        completions: uint8 P×H×W×3, the composites, in the order of `pairs`.
        outputs: uint8 P×H×W×3, before compositing.
        images: uint8 N×H×W×3, the ground truth, indexed by the pairs' `image_row`.
        holes: bool N×H×W, True = hole, indexed by the pairs' `hole_row`.
        variant: variant of SSIM.
        device: where the scores are computed.
        source: the file of the completions, for error messages.
        progress: shows the progress, in batches.
        label: label of the progress.

    Raises:
        UserError: a completion differs from the ground truth at a valid pixel, or a hole is empty.
    """
    scores: list[Score] = []
    starts = range(0, len(pairs), BATCH)
    for start in progress(starts, total=len(starts), label=label):
        part = pairs[start : start + BATCH]
        truth, hole = (torch.from_numpy(a).to(device) for a in select(part, images, holes))
        completion, output = (
            torch.from_numpy(np.array(array[start : start + BATCH])).to(device)
            for array in (completions, outputs)
        )
        _check_valid_pixels(part, completion, truth, hole, source)
        composite_ssim, raw_ssim = ssim([completion, output], truth, variant=variant)
        columns = {
            "l1": l1(completion, truth),
            "psnr": psnr(completion, truth),
            "ssim": composite_ssim,
            "hole_l1": l1(completion, truth, hole),
            "hole_psnr": psnr(completion, truth, hole),
            "raw_l1": l1(output, truth),
            "raw_psnr": psnr(output, truth),
            "raw_ssim": raw_ssim,
        }
        rows = zip(*(columns[metric].tolist() for metric in METRICS), strict=True)
        for pair, values in zip(part, rows, strict=True):
            scores.append(Score(pair.image, pair.bin, pair.hole, pair.ratio, *values))
    return scores


def _check_valid_pixels(
    pairs: Sequence[Pair], completion: Tensor, truth: Tensor, hole: Tensor, source: Path
) -> None:
    changed = ((completion != truth).any(dim=3) & ~hole).flatten(1).sum(dim=1).tolist()
    empty = (~hole.flatten(1).any(dim=1)).tolist()
    for pair, pixels, no_hole in zip(pairs, changed, empty, strict=True):
        if no_hole:
            raise UserError(f"hole {pair.hole} of bin {pair.bin} is empty; pack the holes again")
        if pixels:
            raise UserError(
                f"{source}: image {pair.image} in bin {pair.bin} differs from the ground truth at "
                f"{pixels} pixels outside its hole {pair.hole}, expected none; run the complete "
                "stage again with this assignment of holes"
            )


def summarise_bin(
    scores: Sequence[Score],
    features: np.ndarray,
    truth: np.ndarray,
    *,
    network: str,
    bootstrap: Bootstrap,
    halves: int,
    seed: int,
) -> BinSummary:
    """Means and distances of one bin.

    Args:
        scores: scores of all images.
        features: n×D features of the completions.
        truth: n×D features of the ground truth, in the same order.
        network: name of the feature network.
        bootstrap: settings of the intervals of the means.
        halves: number of random halves for the intervals of the distances.
        seed: seed of all intervals.
    """
    means = {
        metric: _mean(np.array([getattr(score, metric) for score in scores]), bootstrap, seed)
        for metric in METRICS
    }

    def estimate(distance: Callable[[np.ndarray, np.ndarray], float]) -> Estimate:
        value = distance(features, truth)
        low, high = half_jackknife(
            value,
            lambda rows: distance(features[rows], truth[rows]),
            len(features),
            resamples=halves,
            confidence=bootstrap.confidence,
            seed=seed,
        )
        return Estimate(value=value, low=low, high=high, n=len(features))

    frechet = estimate(frechet_distance)
    distances = Distances(
        frechet_name=frechet_name(network),
        frechet=frechet.model_copy(update={"low": max(0.0, frechet.low or 0.0)}),
        kernel_name=kernel_name(network),
        kernel=estimate(kernel_distance),
        dimensions=features.shape[1],
        warning=_warning(*features.shape),
    )
    return BinSummary(means=means, distances=distances)


def _mean(values: np.ndarray, bootstrap: Bootstrap, seed: int) -> Estimate:
    """Mean of the finite values; infinite ones (the PSNR of equal images) are only counted."""
    finite = values[np.isfinite(values)]
    infinite = len(values) - len(finite)
    if not len(finite):
        return Estimate(value=None, low=None, high=None, n=0, infinite=infinite)
    low, high = bootstrap_mean(
        finite, resamples=bootstrap.resamples, confidence=bootstrap.confidence, seed=seed
    )
    return Estimate(
        value=float(finite.mean()), low=low, high=high, n=len(finite), infinite=infinite
    )


def _warning(n: int, dimensions: int) -> str | None:
    if n >= IMAGES_PER_DIMENSION * dimensions:
        return None
    return (
        f"{n} images for {dimensions} dimensions, fewer than {IMAGES_PER_DIMENSION} images a "
        "dimension: biased upwards, and comparable only where the number of images is the same"
    )


# -- files -----------------------------------------------------------------------------------


def read_array(path: Path, *, shape: tuple[int, ...], dtype: str, stage: str) -> np.ndarray:
    """Memory-map an array that an earlier stage wrote for the test images.

    Args:
        path: an .npy file.
        shape: expected shape.
        dtype: expected data type.
        stage: command that writes the array, for error messages.

    Raises:
        UserError: the file is missing, is not an array, has another shape or type, or holds NaN.
    """
    array = map_array(path, remedy=f"run `{stage}`")
    if array.shape != shape or array.dtype != np.dtype(dtype):
        raise UserError(
            f"{path}: expected {dtype} of {_times(shape)}, found {array.dtype} of "
            f"{_times(array.shape)}; run `{stage}` again"
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise UserError(f"{path}: found NaN or infinite values; run `{stage}` again")
    return array


def read_completions(
    config: Config, dataset: str, method: str, *, shape: tuple[int, ...], raw: bool = False
) -> np.ndarray:
    """Memory-map a method's composites, or its raw outputs: uint8 bins×images×H×W×3.

    Raises:
        UserError: as for `read_array`.
    """
    layout = Layout(config.name)
    path = layout.raw_outputs(dataset, method) if raw else layout.completions(dataset, method)
    stage = f"python -m stages.complete --profile {config.name} {dataset} {method}"
    return read_array(path, shape=shape, dtype="uint8", stage=stage)


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(str(size) for size in shape)


def check_enough(bins: Mapping[str, Sequence[Pair]], source: Path) -> None:
    """Raise UserError if a bin has too few images for intervals."""
    for name, pairs in bins.items():
        if len(pairs) < MIN_TEST_IMAGES:
            raise UserError(
                f"{source}: bin {name} has {len(pairs)} test images, expected at least "
                f"{MIN_TEST_IMAGES}; add test images to the data set's split"
            )
