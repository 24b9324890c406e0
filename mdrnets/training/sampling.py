"""Training batches as a pure function of seed, phase and step.

The batch of a step does not depend on earlier ones. Therefore a resumed training sees the same data
in the same order as an uninterrupted one, without a saved sampler state. The ranks share a batch:
the batch of a step is the same for any number of ranks.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Annotated, NamedTuple

import numpy as np
import torch
from torch import Tensor

from mdrnets.config.marks import Chosen
from mdrnets.data.dataset import TrainingData
from mdrnets.data.pixels import normalise_pixels
from mdrnets.errors import UserError
from mdrnets.methods.base import Batch, Phase, Trainable
from mdrnets.runtime.seeds import derived_seed
from mdrnets.training.hole_augmentation import augment_hole

# The merged classes have no left and right, so a label keeps its id.
FLIP_PROBABILITY: Annotated[float, Chosen("not stated")] = 0.5


EPOCHS_CACHED = 2
"""A batch may span two epochs."""


def require_even_shares(trainable: Trainable, phases: Iterable[Phase], ranks: int) -> None:
    """Check that the batches of all phases can be divided evenly among the ranks.

    Raises:
        UserError: one cannot, or a rank would get too few images.
    """
    for phase in phases:
        share, rest = divmod(phase.batch_size, ranks)
        if rest or share < trainable.least_images:
            least = trainable.least_images * ranks
            raise UserError(
                f"phase {phase.name}: found a batch size of {phase.batch_size}, expected a "
                f"multiple of the {ranks} devices from {least} on; change it or `devices` in the "
                "profile"
            )


class DrawnBatch(NamedTuple):
    """A batch in the machine's memory.

    Images uint8 B×H×W×3; holes and image maps bool, labels uint8, B×H×W.
    """

    images: Tensor
    holes: Tensor
    labels: Tensor | None
    image_maps: Tensor | None


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
        image_map: Callable[[np.ndarray], np.ndarray] | None = None,
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
        image_map: see `Phase`; its results are kept, with one bit per pixel.
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
        self.image_map = image_map
        self._maps: dict[int, np.ndarray] = {}  # by row of the image, packed bits
        self._order = lru_cache(maxsize=EPOCHS_CACHED)(self._permutation)

    def batch(self, step: int) -> Batch:
        """This rank's share of a step's batch, on the device; steps count from 1."""
        return self.transfer(self.draw(step))

    def draw(self, step: int) -> DrawnBatch:
        """Draw this rank's share of a step's batch, in the machine's memory.

        Safe to call from several threads.
        """
        seed, phase = self.key
        generator = np.random.default_rng(derived_seed(seed, "batch", phase, step))
        chosen = self._positions(step)[self.share]

        # Each rank draws for the whole batch, so that the batch does not depend on their number.
        flips = (generator.random(self.batch_size) < FLIP_PROBABILITY)[self.share]
        rows = self.rows[chosen]
        images = self.data.images[rows]
        maps = None
        if self.image_map is not None:
            maps = np.stack([self._map(*pair) for pair in zip(rows, images, strict=True)])
            _flip(maps, flips)
        _flip(images, flips)
        labels = None
        if self.labels:
            assert self.data.labels is not None  # checked by the constructor
            labels = _flip(self.data.labels[self.data.label_rows[chosen]], flips)

        hole_rows = generator.choice(self.data.hole_rows, size=self.batch_size)
        augmented = [augment_hole(self.data.holes[row], generator) for row in hole_rows]
        holes = np.stack(augmented[self.share])
        return DrawnBatch(
            self._host_tensor(images),
            self._host_tensor(holes),
            None if labels is None else self._host_tensor(labels),
            None if maps is None else self._host_tensor(maps),
        )

    def transfer(self, drawn: DrawnBatch) -> Batch:
        """Copy a batch to the device and convert it there, without waiting for a GPU."""
        images, holes, labels, maps = (
            None if tensor is None else tensor.to(self.device, non_blocking=True)
            for tensor in drawn
        )
        assert images is not None and holes is not None
        return Batch(
            image=normalise_pixels(images).to(memory_format=self.memory_format),
            hole=holes.float()[:, None],  # B×1×H×W
            labels=None if labels is None else labels.long(),
            image_map=None if maps is None else maps.float()[:, None],
        )

    def _map(self, row: int, image: np.ndarray) -> np.ndarray:
        """The map of an image that is not mirrored, computed when it is drawn for the first time.

        Two threads may compute the same map at the same time: it is a function of the image.
        """
        assert self.image_map is not None
        packed = self._maps.get(row)
        if packed is None:
            packed = self._maps[row] = np.packbits(self.image_map(image))
        bits = np.unpackbits(packed, count=image.shape[0] * image.shape[1])
        return bits.reshape(image.shape[:2]).astype(bool)

    def _host_tensor(self, array: np.ndarray) -> Tensor:
        """In pinned memory if the device is a GPU: only copies from there are asynchronous."""
        tensor = torch.from_numpy(array)
        return tensor.pin_memory() if self.device.type == "cuda" else tensor

    def _positions(self, step: int) -> np.ndarray:
        """Positions in `rows`: a window of the concatenated permutations of all epochs.

        A batch may span two epochs, so that every batch is full.
        """
        window = np.arange((step - 1) * self.batch_size, step * self.batch_size)
        epochs, offsets = np.divmod(window, len(self.rows))
        positions = np.empty_like(window)
        for epoch in np.unique(epochs):
            positions[epochs == epoch] = self._order(int(epoch))[offsets[epochs == epoch]]
        return positions

    def _permutation(self, epoch: int) -> np.ndarray:
        """The order of the rows in an epoch; the last ones are cached in `_order`."""
        seed, phase = self.key
        generator = np.random.default_rng(derived_seed(seed, "epoch", phase, epoch))
        return generator.permutation(len(self.rows))


def _flip(arrays: np.ndarray, flips: np.ndarray) -> np.ndarray:
    """Mirror the selected arrays of N×H×W or N×H×W×C left to right, in place."""
    for index in np.flatnonzero(flips):
        planes = np.atleast_3d(arrays[index])  # a view: H×W×C
        for channel in range(planes.shape[2]):  # a plane at a time: numpy copies pixels slowly
            planes[..., channel] = planes[:, ::-1, channel].copy()
    return arrays
