"""Training batches as a pure function of seed, phase and step.

The batch of a step does not depend on earlier ones. Therefore a resumed training sees the same data
in the same order as an uninterrupted one, without a saved sampler state. The ranks share a batch:
the batch of a step is the same for any number of ranks.
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
        data: images, label maps and holes, with the rows for training.
        seed: seed of the order, the flips and the holes.
        phase: index of the phase; each phase has its own order.
        batch_size: images in a batch of all ranks, a multiple of their number.
        labels: whether batches have label maps; if so, only labelled images are drawn.
        device: device of the tensors.
        memory_format: memory format of the images.
        rank: the rank whose share of each batch is returned.
        ranks: number of ranks.

        Raises:
            UserError: label maps are needed and no training image has one.
        """
        if labels and (data.labels is None or not len(data.labelled_rows)):
            raise UserError(
                "labels: this training needs label maps, but found no training image with one; set "
                "`labels` of the data set in the profile, and `labels: true` of the network in "
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

        # Each rank draws for the whole batch, so that the batch does not depend on their number.
        flips = (generator.random(self.batch_size) < FLIP_PROBABILITY)[self.share]
        images = _flip(self.data.images[self.rows[chosen]], flips)
        labels = None
        if self.labels:
            assert self.data.labels is not None  # checked by the constructor
            maps = _flip(self.data.labels[self.data.label_rows[chosen]], flips)
            labels = torch.from_numpy(maps).to(self.device).long()

        hole_rows = generator.choice(self.data.hole_rows, size=self.batch_size)
        augmented = [augment_hole(self.data.holes[row], generator) for row in hole_rows]
        holes = np.stack(augmented[self.share])

        image = to_tensor(images, self.device).to(memory_format=self.memory_format)
        hole = torch.from_numpy(holes).to(self.device).float()[:, None]  # B×1×H×W
        return Batch(image=image, hole=hole, labels=labels)

    def _positions(self, step: int) -> np.ndarray:
        """Positions in `rows`: a window of the concatenated permutations of all epochs.

        A batch may span two epochs, so that every batch is full.
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


def _flip(arrays: np.ndarray, flips: np.ndarray) -> np.ndarray:
    """A copy of N×H×W… in which the selected arrays are mirrored left to right."""
    arrays = np.array(arrays)
    arrays[flips] = arrays[flips, :, ::-1]
    return arrays
