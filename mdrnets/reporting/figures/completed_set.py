"""A data set's test images with their holes and completions, and the choice of some for a figure.

The choice is drawn by seed and knows no method: nobody picks the images that flatter one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mdrnets.config.load import Config
from mdrnets.data.assignment import Pair, by_bin, read_assignment
from mdrnets.evaluation.scores import read_array
from mdrnets.layout import Layout
from mdrnets.reporting.figures.style import masked
from mdrnets.runtime.seeds import derived_seed


@dataclass(frozen=True)
class CompletedSet:
    """What the figures with faces are drawn from.

    Attributes:
        name: of the data set in the profile.
        title: as printed.
        bins: bin → its pairs of image and hole, the same images in each.
        images: uint8 N×H×W×3, to which `image_row` points.
        holes: bool M×H×W, True = hole, to which `hole_row` points.
        completions: method → uint8 bins×images×H×W×3, in the order of `bins`.
    """

    name: str
    title: str
    bins: Mapping[str, Sequence[Pair]]
    images: np.ndarray
    holes: np.ndarray
    completions: Mapping[str, np.ndarray]

    @property
    def count(self) -> int:
        """Number of test images."""
        return len(next(iter(self.bins.values())))

    def truth(self, of_bin: str, at: int) -> np.ndarray:
        """The ground truth of the pair at a position of a bin, H×W×3."""
        return self.images[self.bins[of_bin][at].image_row]

    def hole(self, of_bin: str, at: int) -> np.ndarray:
        """Its hole, bool H×W."""
        return self.holes[self.bins[of_bin][at].hole_row]

    def completed(self, method: str, of_bin: str, at: int) -> np.ndarray:
        """Its completion by a method, H×W×3."""
        return self.completions[method][list(self.bins).index(of_bin), at]

    def versions(self, methods: Iterable[str], of_bin: str, at: int) -> list[np.ndarray]:
        """The input with its hole in white, the completions, and the ground truth."""
        truth = self.truth(of_bin, at)
        return [
            masked(truth, self.hole(of_bin, at)),
            *(self.completed(method, of_bin, at) for method in methods),
            truth,
        ]


def read_completed_set(
    config: Config, layout: Layout, dataset: str, methods: Iterable[str]
) -> CompletedSet:
    """Map the files of a data set into memory.

    Args:
        config: protocol and profile.
        layout: of the profile.
        dataset: name in the profile.
        methods: whose completions are read.

    Raises:
        UserError: the assignment or completions are missing, or belong to other images.
        FileNotFoundError: the images or holes are missing.
    """
    pairs = by_bin(read_assignment(layout.assignment(dataset)), tuple(config.protocol.bins))
    images = np.load(layout.images(dataset), mmap_mode="r")
    shape = (len(pairs), len(next(iter(pairs.values()))), *images.shape[1:])
    return CompletedSet(
        name=dataset,
        title=config.profile.datasets[dataset].title,
        bins=pairs,
        images=images,
        holes=np.load(layout.holes(), mmap_mode="r"),
        completions={
            method: read_array(
                layout.completions(dataset, method),
                shape=shape,
                dtype="uint8",
                stage=f"python -m stages.complete --profile {config.name} {dataset} {method}",
            )
            for method in methods
        },
    )


def read_completed_sets(
    config: Config, layout: Layout, methods: Iterable[str]
) -> list[CompletedSet]:
    """All data sets of the profile; see `read_completed_set`."""
    names = tuple(methods)
    return [read_completed_set(config, layout, name, names) for name in config.profile.datasets]


def chosen(count: int, bins: Sequence[str], each: int, *key: int | str) -> dict[str, list[int]]:
    """Positions of `each` test images for every bin, drawn by seed; no image twice if they suffice.

    Args:
        count: number of test images.
        bins: for which to draw.
        each: images a bin; all of them where there are fewer.
        key: of the draw: the seed, the figure, the data set.
    """
    order = np.random.default_rng(derived_seed(*key)).permutation(count).tolist()
    each = min(each, count)
    return {
        name: [order[(number * each + at) % count] for at in range(each)]
        for number, name in enumerate(bins)
    }
