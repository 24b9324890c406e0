"""The test images of a data set with their holes and completions, and the images that figures show.

The images are picked at random by seed, independently of any result.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mdrnets.config.load import Config
from mdrnets.data.evaluation_set import EvaluationSet, read_evaluation_set
from mdrnets.evaluation.scores import read_completions
from mdrnets.reporting.figures.style import mask_hole
from mdrnets.runtime.seeds import derived_seed


@dataclass(frozen=True)
class CompletedSet(EvaluationSet):
    """The test images of a data set, their holes and their completions.

    Attributes:
        name: of the data set in the profile.
        title: as printed.
        completions: method → uint8 bins×images×H×W×3, in the order of `bins`.
    """

    name: str
    title: str
    completions: Mapping[str, np.ndarray]

    def truth(self, bin_name: str, at: int) -> np.ndarray:
        """The ground truth of the pair at a position of a bin, H×W×3."""
        truth: np.ndarray = self.images[self.bins[bin_name][at].image_row]
        return truth

    def hole(self, bin_name: str, at: int) -> np.ndarray:
        """Its hole, bool H×W."""
        hole: np.ndarray = self.holes[self.bins[bin_name][at].hole_row]
        return hole

    def completion(self, method: str, bin_name: str, at: int) -> np.ndarray:
        """Its completion by a method, H×W×3."""
        completion: np.ndarray = self.completions[method][list(self.bins).index(bin_name), at]
        return completion

    def versions(self, methods: Iterable[str], bin_name: str, at: int) -> list[np.ndarray]:
        """The input with its hole in white, the completions, and the ground truth."""
        truth = self.truth(bin_name, at)
        return [
            mask_hole(truth, self.hole(bin_name, at)),
            *(self.completion(method, bin_name, at) for method in methods),
            truth,
        ]


def read_completed_set(config: Config, dataset: str, methods: Iterable[str]) -> CompletedSet:
    """Map the files of a data set into memory.

    Args:
        config: protocol and profile.
        dataset: name in the profile.
        methods: whose completions are read.

    Raises:
        UserError: a file is missing, or the completions belong to other images.
    """
    test = read_evaluation_set(config, dataset)
    return CompletedSet(
        **vars(test),
        name=dataset,
        title=config.profile.datasets[dataset].title,
        completions={
            method: read_completions(config, dataset, method, shape=test.shape)
            for method in methods
        },
    )


def read_completed_sets(config: Config, methods: Iterable[str]) -> list[CompletedSet]:
    """All data sets of the profile; see `read_completed_set`."""
    names = tuple(methods)
    return [read_completed_set(config, name, names) for name in config.profile.datasets]


def choose_images(
    count: int, bins: Sequence[str], each: int, *key: int | str
) -> dict[str, list[int]]:
    """Pick test images for every bin by seed. An image is repeated only if there are too few.

    Args:
        count: number of test images.
        bins: to pick images for.
        each: number of images for a bin; fewer if there are not enough.
        key: seed, figure and data set.

    Returns:
        Bin → positions of its images.
    """
    order = np.random.default_rng(derived_seed(*key)).permutation(count).tolist()
    each = min(each, count)
    return {
        name: [order[(number * each + at) % count] for at in range(each)]
        for number, name in enumerate(bins)
    }
