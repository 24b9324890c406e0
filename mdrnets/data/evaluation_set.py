"""The test images of a data set and their holes, as completion and evaluation see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mdrnets.config.load import Config
from mdrnets.data.assignment import Pair, by_bin, read_assignment
from mdrnets.data.dataset import map_holes, map_images
from mdrnets.layout import Layout


@dataclass(frozen=True)
class EvaluationSet:
    """Test images and holes, memory-mapped.

    Attributes:
        bins: bin → its pairs of image and hole. All bins have the same images in the same order.
        images: uint8 N×H×W×3, indexed by the pairs' `image_row`.
        holes: bool M×H×W, True = hole, indexed by the pairs' `hole_row`.
    """

    bins: Mapping[str, Sequence[Pair]]
    images: np.ndarray
    holes: np.ndarray

    @property
    def pairs(self) -> list[Pair]:
        """The pairs of all bins, one bin after the other."""
        return [pair for pairs in self.bins.values() for pair in pairs]

    @property
    def count(self) -> int:
        """Number of test images."""
        return len(next(iter(self.bins.values())))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a method's completions: bins×images×H×W×3."""
        return (len(self.bins), self.count, *self.images.shape[1:])


def read_evaluation_set(config: Config, dataset: str) -> EvaluationSet:
    """Map the files of a data set into memory.

    Raises:
        UserError: a file is missing or damaged, or the bins do not have the same images.
    """
    layout = Layout(config.name)
    return EvaluationSet(
        bins=by_bin(read_assignment(layout.assignment(dataset)), config.protocol.bins),
        images=map_images(layout, dataset),
        holes=map_holes(layout),
    )
