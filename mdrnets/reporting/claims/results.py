"""The scores and features of one data set, image by image, as the tests of claims need them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from mdrnets.errors import UserError
from mdrnets.evaluation.scores import Score, read_array
from mdrnets.files.arrays import map_array
from mdrnets.files.tables import read_rows
from mdrnets.layout import Layout
from mdrnets.metrics.frechet import frechet_distance
from mdrnets.metrics.paired import Difference, jackknife_difference, label_swap, mean_difference
from mdrnets.metrics.welch import welch_test

FRECHET = "frechet"
SCORES = {"L1": "l1", "FID": FRECHET, "PSNR": "psnr", "SSIM": "ssim"}
"""The paper's name of a metric → the column of the scores, or the distance of the features."""
SIGNED_RANK = "signed rank"
FEATURES_REMEDY = "run the features stage"
TESTS = {FRECHET: "label swap"}
"""The test that compares two methods; the signed-rank test for all other scores."""


@dataclass(frozen=True)
class Resampling:
    """Numbers of resamples; see `mdrnets.metrics.paired`.

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
    """All methods on the same images with the same holes, T trainings of each.

    Attributes:
        scores: (score, method, bin) → T×n values.
        features: (method, bin) → n×D of each training.
        truth: n×D of the ground truth.
    """

    scores: Mapping[tuple[str, str, str], np.ndarray]
    features: Mapping[tuple[str, str], Sequence[np.ndarray]]
    truth: np.ndarray

    def value(self, score: str, method: str, bin_: str) -> float | None:
        """As in Table 1: the mean of the finite values or the distance, averaged over trainings."""
        if score == FRECHET:
            everything = np.arange(len(self.truth))
            return float(np.mean(self._distances({(method, bin_): 1}, everything)))
        finite = [values[np.isfinite(values)] for values in self.scores[score, method, bin_]]
        return float(np.mean([f.mean() for f in finite])) if all(map(len, finite)) else None

    def difference(
        self, score: str, a: str, b: str, bin_: str, *, resampling: Resampling, seed: int
    ) -> Difference | None:
        """One method minus another in a bin, with the p of `TESTS`; else as `contrast`."""
        weights = {(a, bin_): 1, (b, bin_): -1}
        difference = self.contrast(score, weights, resampling=resampling, seed=seed)
        if score != FRECHET or difference is None:
            return difference
        p = label_swap(
            self.features[a, bin_],
            self.features[b, bin_],
            self.truth,
            permutations=resampling.permutations,
            seed=seed,
        )
        return difference._replace(p=p)

    def contrast(
        self,
        score: str,
        weights: Mapping[tuple[str, str], int],
        *,
        resampling: Resampling,
        seed: int,
    ) -> Difference | None:
        """A weighted sum of the scores of methods in bins, paired over images.

        Of several trainings it is the mean: image by image, or of their distances.

        Args:
            score: a value of `SCORES`.
            weights: (method, bin) → its weight; 1 and −1 make a difference.
            resampling: of interval and test.
            seed: of the resampling.

        Returns:
            None where it is finite for no image.
        """
        if score == FRECHET:
            return jackknife_difference(
                lambda at: float(np.mean(self._distances(weights, at))),
                len(self.truth),
                halves=resampling.halves,
                confidence=resampling.confidence,
                seed=seed,
            )
        return mean_difference(
            self._sum(score, weights).mean(axis=0),
            resamples=resampling.resamples,
            confidence=resampling.confidence,
            seed=seed,
        )

    def by_training(
        self,
        score: str,
        weights: Mapping[tuple[str, str], int],
        *,
        resampling: Resampling,
        seed: int,
    ) -> list[Difference | None]:
        """As `contrast`, of each training alone; empty if there is only one."""
        alone = self.trainings()
        if len(alone) == 1:
            return []
        return [one.contrast(score, weights, resampling=resampling, seed=seed) for one in alone]

    def trainings_p(self, score: str, a: str, b: str, bin_: str) -> float | None:
        """The p-value of a difference over the trainings; see `welch_test`.

        None: a method has fewer than two trainings with a finite score.
        """
        alone = self.trainings()
        values = (
            [value for one in alone if (value := one.value(score, method, bin_)) is not None]
            for method in (a, b)
        )
        return welch_test(*values)

    def trainings(self) -> "list[Results]":
        """Each training alone."""
        return [
            Results(
                scores={key: scores[k : k + 1] for key, scores in self.scores.items()},
                features={key: features[k : k + 1] for key, features in self.features.items()},
                truth=self.truth,
            )
            for k in range(len(next(iter(self.features.values()))))
        ]

    def _sum(self, score: str, weights: Mapping[tuple[str, str], int]) -> np.ndarray:
        """T×n."""
        with np.errstate(invalid="ignore"):  # ∞ − ∞ is left out
            terms = [weight * self.scores[score, *key] for key, weight in weights.items()]
            total: np.ndarray = np.sum(terms, axis=0)
        return total

    def _distances(self, weights: Mapping[tuple[str, str], int], at: np.ndarray) -> list[float]:
        """The sum of Fréchet distances in each training, of the images at these positions."""
        truth = self.truth[at]
        trainings = zip(*(self.features[key] for key in weights), strict=True)
        return [
            sum(
                weight * frechet_distance(features[at], truth)
                for weight, features in zip(weights.values(), training, strict=True)
            )
            for training in trainings
        ]


def read_results(
    layout: Layout, dataset: str, trainings: Mapping[str, tuple[str, ...]], *, bins: Sequence[str]
) -> Results:
    """Read what the stages `evaluate` and `features` wrote.

    Args:
        layout: the paths of the profile's files.
        dataset: of which to read them.
        trainings: method → its trainings. A method that is not trained has one, which is
            repeated as often as the others have trainings.
        bins: that the files must hold, in order.

    Raises:
        UserError: a file is missing or broken, or two methods were not scored on the same pairs.
    """
    everyone = [name for names in trainings.values() for name in names]
    tables = {name: read_rows(layout.scores(dataset, name), Score) for name in everyone}
    pairs = {
        name: [(row.bin, row.image, row.hole) for row in rows] for name, rows in tables.items()
    }
    first, expected = next(iter(pairs.items()))
    images = list(dict.fromkeys(image for _, image, _ in expected))
    if [pair[:2] for pair in expected] != list(product(bins, images)):
        raise UserError(
            f"{layout.scores(dataset, first)}: expected the same images in each of the bins "
            f"{', '.join(bins)}; run the evaluate stage again"
        )
    for name, own_pairs in pairs.items():
        if own_pairs != expected:
            raise UserError(
                f"{layout.scores(dataset, name)}: other images or holes than in "
                f"{layout.scores(dataset, first)}; run the evaluate stage again for all methods"
            )
    truth = layout.true_features(dataset)
    features = map_array(truth, remedy=FEATURES_REMEDY, dtype="float32", dimensions=2)
    shape = (len(images), features.shape[1])
    arrays = {
        name: read_array(
            layout.features(dataset, name),
            shape=(len(bins), *shape),
            dtype="float32",
            stage="python -m stages.evaluate",
        )
        for name in everyone
    }
    most = max(map(len, trainings.values()))
    repeated = {m: names + names[:1] * (most - len(names)) for m, names in trainings.items()}
    return Results(
        scores={
            (score, method, bin_): np.array(
                [[getattr(r, score) for r in tables[name] if r.bin == bin_] for name in names]
            )
            for score, (method, names), bin_ in product(SCORES.values(), repeated.items(), bins)
            if score != FRECHET
        },
        features={
            (method, bin_): [arrays[name][number] for name in names]
            for (method, names), (number, bin_) in product(repeated.items(), enumerate(bins))
        },
        truth=read_array(truth, shape=shape, dtype="float32", stage="python -m stages.features"),
    )
