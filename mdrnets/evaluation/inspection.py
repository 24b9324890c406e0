"""Inspection of a trained MDRNets: which slots its memory reads, what they hold, what it parses.

Not part of the paper. It shows whether the memory selects slots, and how accurate the semantic maps
are; everything after the coarse network relies on them.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mdrnets.data.assignment import Pair, select
from mdrnets.data.pixels import hole_to_tensor, to_tensor
from mdrnets.data.progress import ProgressBar, no_progress_bar
from mdrnets.evaluation.memory_use import NONE, MemoryUse
from mdrnets.methods.mdrnets.memory import DisentangledMemory, relative_length
from mdrnets.methods.mdrnets.method import MDRNets
from mdrnets.methods.mdrnets.pooling import RegionMeans
from mdrnets.runtime.numerics import autocast


class Inspection:
    """A frozen method with the images and holes that it is inspected on."""

    def __init__(
        self,
        method: MDRNets,
        *,
        images: np.ndarray,
        holes: np.ndarray,
        batch_size: int,
        precision: str,
        progress: ProgressBar = no_progress_bar,
    ) -> None:
        """Args:
        method: on its device, in eval mode.
        images: uint8 N×H×W×3, indexed by the pairs' `image_row`.
        holes: bool N×H×W, True = hole, indexed by the pairs' `hole_row`.
        batch_size: images in a batch.
        precision: `32-true` or `bf16-mixed`.
        progress: shows the progress, in batches.
        """
        self.method = method
        self.device = next(method.parameters()).device
        self.images, self.holes = images, holes
        self.batch_size, self.precision, self.progress = batch_size, precision, progress

    def memory(
        self, memory: DisentangledMemory, pairs: Sequence[Pair], rows: np.ndarray, *, shown: int
    ) -> MemoryUse:
        """How the memory is read for some pairs, and which parts the most read slots hold.

        Args:
            memory: the method's memory.
            pairs: images and holes whose completions read the memory.
            rows: rows of the images that are searched for the parts nearest to a slot.
            shown: number of slots of each class, and of parts for each slot.
        """
        chosen, entropy, length = self._reads(memory, pairs)
        slots = most_read(chosen, shown)
        styles, labels = self._styles(rows)
        nearest, cosines = nearest_styles(memory.similarity(styles), styles.present, slots, shown)
        regions = labels[nearest] == np.arange(len(slots))[:, None, None, None, None]
        return MemoryUse(
            chosen=chosen,
            entropy=entropy,
            length=length,
            slots=slots,
            images=np.where(nearest == NONE, NONE, rows[nearest]),
            cosines=cosines,
            regions=regions & (nearest != NONE)[..., None, None],
        )

    def parse(self, pairs: Sequence[Pair], *, complete: bool) -> np.ndarray:
        """The parser's classes, uint8 N×H×W.

        Args:
            pairs: images and holes.
            complete: of the images without their holes, else of their coarse composites.
        """
        batches = []
        for image, hole in self._batches(pairs, "parsing"):
            with torch.inference_mode(), autocast(self.device, self.precision):
                faces = (
                    image if complete else self.method.complete_coarsely(image * (1 - hole), hole)
                )
                batches.append(_uint8(self.method.frozen("parser").parse(faces)))
        return np.concatenate(batches)

    @torch.inference_mode()
    def _reads(
        self, memory: DisentangledMemory, pairs: Sequence[Pair]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Reads by class and best slot, K×M; mean entropy and mean relative length of reads, K."""
        chosen, entropy, length = [], [], []
        for image, hole in self._batches(pairs, "reads"):
            with autocast(self.device, self.precision):
                coarse = self.method.complete_coarsely(image * (1 - hole), hole)
                query = self.method.pool_style(coarse, self.method.frozen("parser").parse(coarse))
            similarity = memory.similarity(query)  # B×K×M
            best = F.one_hot(similarity.argmax(dim=-1), similarity.shape[-1])
            chosen.append((best * query.present[..., None]).sum(dim=0))
            spread = torch.special.entr(memory.attention(similarity)).sum(dim=-1)
            entropy.append((spread.double() * query.present).sum(dim=0))
            # In eval mode the memory does not write.
            lengths = relative_length(memory(query, query), query.means)
            length.append((lengths.double() * query.present).sum(dim=0))
        reads = torch.stack(chosen).sum(dim=0)
        means = (torch.stack(sums).sum(dim=0) / reads.sum(dim=-1) for sums in (entropy, length))
        mean_entropy, mean_length = (mean.cpu().numpy() for mean in means)  # 0 / 0: NaN
        return reads.cpu().numpy(), mean_entropy, mean_length

    @torch.inference_mode()
    def _styles(self, rows: np.ndarray) -> tuple[RegionMeans, np.ndarray]:
        """Q of images without a hole, rows N×K×C; their classes, uint8 N×H×W."""
        batches, labels = [], []
        starts = range(0, len(rows), self.batch_size)
        for start in self.progress(starts, total=len(starts), label="styles"):
            image = to_tensor(self.images[rows[start : start + self.batch_size]], self.device)
            with autocast(self.device, self.precision):
                parsed = self.method.frozen("parser").parse(image)
                batches.append(self.method.pool_style(image, parsed))
            labels.append(_uint8(parsed))
        means, present = zip(*batches, strict=True)
        return RegionMeans(torch.cat(means), torch.cat(present)), np.concatenate(labels)

    def _batches(self, pairs: Sequence[Pair], label: str) -> Iterator[tuple[Tensor, Tensor]]:
        """Images B×3×H×W in [-1, 1] and holes B×1×H×W."""
        starts = range(0, len(pairs), self.batch_size)
        for start in self.progress(starts, total=len(starts), label=label):
            part = pairs[start : start + self.batch_size]
            images, holes = select(part, self.images, self.holes)
            yield to_tensor(images, self.device), hole_to_tensor(holes, self.device)


def most_read(chosen: np.ndarray, count: int) -> np.ndarray:
    """The slots of each class that are read most, K×count; `NONE` after the last one read.

    Args:
        chosen: reads by slot, K×M.
        count: slots of each class.
    """
    slots = np.full((len(chosen), count), NONE, dtype=np.int64)
    for label, reads in enumerate(chosen):
        order = np.argsort(-reads, kind="stable")[:count]
        order = order[reads[order] > 0]
        slots[label, : len(order)] = order
    return slots


def nearest_styles(
    similarity: Tensor, present: Tensor, slots: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """The images whose style of a class is nearest to a slot, K×S×count, and their cosines.

    Args:
        similarity: N×K×M, equation 1.
        present: N×K, whether an image has the class.
        slots: K×S, or `NONE`.
        count: images for each slot; `NONE` (of cosine 0) where fewer have the class.
    """
    nearest = np.full((*slots.shape, count), NONE, dtype=np.int64)
    cosines = np.zeros(nearest.shape, dtype=np.float32)
    for (label, at), slot in np.ndenumerate(slots):
        if slot == NONE:
            continue
        candidates = torch.nonzero(present[:, label])[:, 0]
        values = similarity[candidates, label, slot]
        values, order = values.sort(descending=True, stable=True)
        best = candidates[order][:count]
        nearest[label, at, : len(best)] = best.cpu().numpy()
        cosines[label, at, : len(best)] = values[:count].cpu().numpy()
    return nearest, cosines


def _uint8(labels: Tensor) -> np.ndarray:
    return labels.to(torch.uint8).cpu().numpy()
