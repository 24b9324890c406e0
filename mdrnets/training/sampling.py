"""Training batches as a pure function of seed, phase and step.

Since the batch of a step depends on no earlier one, a resumed training needs no sampler's state
to see the same data in the same order as one that was never interrupted. Ranks share a batch: that
of a step is the same for any number of them.
"""

from typing import Annotated

import numpy as np
import torch

from mdrnets.config.marks import Chosen
from mdrnets.data.dataset import TrainingData
from mdrnets.data.pixels import to_tensor
from mdrnets.errors import UserError
from mdrnets.methods.base import Batch
from mdrnets.runtime.seeds import derived_seed
from mdrnets.training.hole_augmentation import augment_hole

# The merged classes have no left and right, so a label keeps its id.
FLIP_PROBABILITY: Annotated[float, Chosen("not stated")] = 0.5


class BatchSampler:
    """The batches of one phase: every image once in each epoch, each with a random hole."""

    def __init__(
        self,
        *,
        data: TrainingData,
        seed: int,
        phase: int,
        batch_size: int,
        labels: bool,
        device: torch.device,
        memory_format: torch.memory_format = torch.contiguous_format,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        """Args:
        phase: its number; each phase has an order of its own.
        batch_size: of all ranks together, a multiple of their number.
        labels: give label maps, and so draw labelled images only.
        device: of the tensors.
        memory_format: of the images.
        rank: whose share of each batch is given, of this many `ranks`.

        Raises:
            UserError: labels are wanted and no training image has any.
        """
        if labels and (data.labels is None or not len(data.labelled_rows)):
            raise UserError(
                "this training needs label maps, but no training image of the data set has one; "
                "the data set needs `labels` in the profile, and the network `labels: true` in "
                "params.yaml"
            )
        self.data, self.labels = data, labels
        self.rows = data.labelled_rows if labels else data.image_rows
        self.key = (seed, phase)
        self.batch_size, self.device, self.memory_format = batch_size, device, memory_format
        share = batch_size // ranks
        self.share = slice(rank * share, (rank + 1) * share)

    def batch(self, step: int) -> Batch:
        """This rank's share of a step's batch; steps count from 1."""
        seed, phase = self.key
        generator = np.random.default_rng(derived_seed(seed, "batch", phase, step))
        chosen = self._positions(step)[self.share]

        # Each rank draws for the whole batch, so that the shares are those of one generator.
        flips = (generator.random(self.batch_size) < FLIP_PROBABILITY)[self.share]
        images = _flipped(self.data.images[self.rows[chosen]], flips)
        labels = None
        if self.labels:
            assert self.data.labels is not None  # the constructor has checked it
            maps = _flipped(self.data.labels[self.data.label_rows[chosen]], flips)
            labels = torch.from_numpy(maps).to(self.device).long()

        hole_rows = generator.choice(self.data.hole_rows, size=self.batch_size)
        drawn = [augment_hole(self.data.holes[row], generator) for row in hole_rows]
        holes = np.stack(drawn[self.share])

        image = to_tensor(images, self.device).to(memory_format=self.memory_format)
        hole = torch.from_numpy(holes).to(self.device).float()[:, None]  # B×1×H×W
        return Batch(image=image, hole=hole, labels=labels)

    def _positions(self, step: int) -> np.ndarray:
        """Which of `rows` the batch takes: a window of all epochs' permutations, laid end to end.

        A batch may reach over the end of an epoch, so that every batch is full.
        """
        seed, phase = self.key
        window = np.arange((step - 1) * self.batch_size, step * self.batch_size)
        epochs, offsets = np.divmod(window, len(self.rows))
        positions = np.empty_like(window)
        for epoch in np.unique(epochs):
            generator = np.random.default_rng(derived_seed(seed, "epoch", phase, int(epoch)))
            order = generator.permutation(len(self.rows))
            positions[epochs == epoch] = order[offsets[epochs == epoch]]
        return positions


def _flipped(arrays: np.ndarray, flips: np.ndarray) -> np.ndarray:
    """A copy of N×H×W… with the chosen ones mirrored left to right."""
    arrays = np.array(arrays)
    arrays[flips] = arrays[flips, :, ::-1]
    return arrays
