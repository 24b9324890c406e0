"""The scores and features of one data set, image by image, as the tests of claims need them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from mdrnets.data.tables import read_table
from mdrnets.errors import UserError
from mdrnets.evaluation import COLUMNS, read_array
from mdrnets.metrics.frechet import frechet_distance
from mdrnets.metrics.paired import Difference, jackknife_difference, label_swap, mean_difference

FRECHET = "frechet"
SCORES = {"L1": "l1", "FID": FRECHET, "PSNR": "psnr", "SSIM": "ssim"}
"""As the paper calls them → the column of the scores, or the distance of the features."""
PERMUTATIONS = 999
"""So that p can be 1/1000: 24 columns times that is below .05, which 480 would not reach."""


@dataclass(frozen=True)
class Resampling:
    """How many of what; see `mdrnets.metrics.paired`.

    Attributes:
        resamples: of the bootstrap of means.
        halves: of the jackknife of the Fréchet distance.
        permutations: of its label-swap test.
        confidence: of all intervals.
    """

    resamples: int
    halves: int
    permutations: int
    confidence: float


@dataclass(frozen=True)
class Results:
    """All methods on the same images with the same holes.

    Attributes:
        scores: (score, method, bin) → n values.
        features: (method, bin) → n×D.
        truth: n×D of the ground truth.
    """

    scores: Mapping[tuple[str, str, str], np.ndarray]
    features: Mapping[tuple[str, str], np.ndarray]
    truth: np.ndarray

    def value(self, score: str, method: str, bin_: str) -> float | None:
        """As in Table 1: the mean of the finite values, or the distance."""
        if score == FRECHET:
            return frechet_distance(self.features[method, bin_], self.truth)
        values = self.scores[score, method, bin_]
        finite = values[np.isfinite(values)]
        return float(finite.mean()) if len(finite) else None

    def contrast(
        self,
        score: str,
        weights: Mapping[tuple[str, str], int],
        *,
        resampling: Resampling,
        seed: int,
    ) -> Difference | None:
        """A weighted sum of the scores of methods in bins, paired over images.

        Args:
            score: a value of `SCORES`.
            weights: (method, bin) → its weight; 1 and −1 make a difference.
            resampling: of interval and test.
            seed: of the resampling.

        Returns:
            None where it is finite for no image.
        """
        if score == FRECHET:

            def distances(kept: np.ndarray) -> float:
                return sum(
                    weight * frechet_distance(self.features[key][kept], self.truth[kept])
                    for key, weight in weights.items()
                )

            return jackknife_difference(
                distances,
                len(self.truth),
                halves=resampling.halves,
                confidence=resampling.confidence,
                seed=seed,
            )
        with np.errstate(invalid="ignore"):  # ∞ − ∞ is left out
            terms = [weight * self.scores[score, *key] for key, weight in weights.items()]
            differences = np.sum(terms, axis=0)
        return mean_difference(
            differences,
            resamples=resampling.resamples,
            confidence=resampling.confidence,
            seed=seed,
        )

    def label_swap(self, a: str, b: str, bin_: str, *, resampling: Resampling, seed: int) -> float:
        """Test for equal Fréchet distances of two methods: p."""
        return label_swap(
            self.features[a, bin_],
            self.features[b, bin_],
            self.truth,
            permutations=resampling.permutations,
            seed=seed,
        )


def read_results(
    scores: Mapping[str, Path], features: Mapping[str, Path], truth: Path, *, bins: Sequence[str]
) -> Results:
    """Read what the stages `evaluate` and `features` wrote.

    Args:
        scores: method → its table.
        features: method → its array, bins×n×D.
        truth: array of the ground truth, n×D.
        bins: that they must hold, in order.

    Raises:
        UserError: a file is missing or broken, or two methods were not scored on the same pairs.
    """
    tables = {method: read_table(path, COLUMNS) for method, path in scores.items()}
    pairs = {
        method: [(row["bin"], row["image"], row["hole"]) for row in rows]
        for method, rows in tables.items()
    }
    first, expected = next(iter(pairs.items()))
    images = list(dict.fromkeys(image for _, image, _ in expected))
    if [pair[:2] for pair in expected] != list(product(bins, images)):
        raise UserError(
            f"{scores[first]}: expected the same images in each of the bins {', '.join(bins)}; run "
            "the evaluate stage again"
        )
    for method, found in pairs.items():
        if found != expected:
            raise UserError(
                f"{scores[method]}: other images or holes than in {scores[first]}; run the "
                "evaluate stage again for all methods"
            )
    shape = (len(images), np.load(truth, mmap_mode="r").shape[-1])
    arrays = {
        method: read_array(
            path, shape=(len(bins), *shape), dtype="float32", stage="python -m stages.evaluate"
        )
        for method, path in features.items()
    }
    return Results(
        scores={
            (score, method, bin_): np.array([float(r[score]) for r in rows if r["bin"] == bin_])
            for score, (method, rows), bin_ in product(SCORES.values(), tables.items(), bins)
            if score != FRECHET
        },
        features={
            (method, bin_): of_bin
            for method, array in arrays.items()
            for bin_, of_bin in zip(bins, array, strict=True)
        },
        truth=read_array(truth, shape=shape, dtype="float32", stage="python -m stages.features"),
    )
