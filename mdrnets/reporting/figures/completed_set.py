"""A data set's test images with their holes and completions, and the choice of some for a figure.

The choice is drawn by seed and knows no method: nobody picks the images that flatter one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mdrnets.data.assignment import Pair, by_bin, read_assignment
from mdrnets.evaluation.scores import read_array
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
    *,
    name: str,
    title: str,
    bins: Sequence[str],
    assignment: Path,
    images: Path,
    holes: Path,
    completions: Mapping[str, Path],
    profile: str,
) -> CompletedSet:
    """Map the files of a data set into memory.

    Args:
        name: of the data set.
        title: as printed.
        bins: of Table 1, in order.
        assignment: table of image, hole and bin.
        images: packed images.
        holes: packed holes.
        completions: method → its composites.
        profile: for messages.

    Raises:
        UserError: no such assignment or completions, or not those of these images.
        FileNotFoundError: no such images or holes.
    """
    pairs = by_bin(read_assignment(assignment), bins)
    packed = np.load(images, mmap_mode="r")
    shape = (len(pairs), len(next(iter(pairs.values()))), *packed.shape[1:])
    return CompletedSet(
        name=name,
        title=title,
        bins=pairs,
        images=packed,
        holes=np.load(holes, mmap_mode="r"),
        completions={
            method: read_array(
                path,
                shape=shape,
                dtype="uint8",
                stage=f"python -m stages.complete --profile {profile} {name} {method}",
            )
            for method, path in completions.items()
        },
    )


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
