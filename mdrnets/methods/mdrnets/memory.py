"""DMM, the disentangled memory module: learns the appearance of each class from all faces.

MDRNets, section on the DMM, equations 1 to 5. Averaging the values that one batch writes into one
slot, and α, follow MOSS. The memory is a buffer, not a parameter: no optimiser changes it.
"""

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mdrnets.methods.mdrnets.pooling import RegionMeans
from mdrnets.networks.precision import without_autocast
from mdrnets.runtime.distributed import all_reduce_sum

Init = Literal["unit", "normal", "from_data"]
"""How the slots begin: as random unit vectors, with every number from N(0, 1) as in MOSS, or as
unit vectors that `DisentangledMemory.fill` replaces."""

NOTHING_READ = {"read_entropy": 0.0, "read_length": 0.0}


class Read(NamedTuple):
    """What a memory read in one step: R rows of each block.

    Attributes:
        queries: R×blocks×C.
        attention: the weights of the slots, R×blocks×M.
        read: R×blocks×C.
        present: which rows had a query, R×blocks.
    """

    queries: Tensor
    attention: Tensor
    read: Tensor
    present: Tensor

    def statistics(self) -> dict[str, float]:
        """Means over the rows that had a query; waits for a GPU, so ask for them rarely.

        The entropy is in nats, where log M means uniform weights.
        """
        lengths = relative_length(self.read, self.queries)
        return {
            "read_entropy": _entropy(self.attention)[self.present].mean().item(),
            "read_length": lengths[self.present].mean().item(),
        }


class DisentangledMemory(nn.Module):
    """Blocks of slots e; class i uses only block i, or all classes share one block.

    For the query Q_i and the value V_i of a class, over the slots j of its block:

        g_ij  = cos(Q_i, e_ij)                      (1)
        k_i   = argmax_j g_ij                       (2)
        e_ik ← α e_ik + (1 − α) V_i                 (3)  in training mode
        a_ij  = softmax_j(g_ij / τ)                 (4)  with g recomputed; the paper has τ = 1
        Q̂_i   = Σ_j a_ij e_ij                       (5)

    A class without valid pixels (V absent) reads but does not write. A class without any pixels
    (Q absent) does neither, and its Q̂ is zero. The slots receive no gradient.
    """

    slots: Tensor
    updates: Tensor
    updates_itself = True
    """Not to be compiled, see `compile_networks`."""

    def __init__(
        self,
        *,
        blocks: int,
        slots: int,
        channels: int,
        alpha: float,
        temperature: float,
        init: Init,
    ) -> None:
        """Args:
        blocks: the number of classes, or 1 if all classes share one block.
        slots: m, slots in each block.
        alpha: α of equation 3, the fraction of a slot that an update keeps.
        temperature: τ of equation 4.
        init: how the slots begin.
        """
        super().__init__()
        self.alpha, self.temperature = alpha, temperature
        normal = torch.randn(blocks, slots, channels)
        first = normal if init == "normal" else F.normalize(normal, dim=-1)
        self.register_buffer("slots", first)  # blocks×M×C
        self.register_buffer("updates", torch.zeros(blocks, slots, dtype=torch.int64))
        self._last_read: Read | None = None

    def forward(self, query: RegionMeans, value: RegionMeans) -> Tensor:
        """Args: query and value, rows B×K×C. Writes first in training mode. Returns Q̂, B×K×C."""
        with without_autocast(self.slots):
            if self.training:
                self._write(query, value)
            return self._read(query)

    def similarity(self, query: RegionMeans) -> Tensor:
        """Equation 1: rows B×K×C → cosines with the slots that each class reads, B×K×M."""
        queries, _ = self._by_block(query)
        return self._similarity(queries).reshape(*query.present.shape, -1)

    def attention(self, similarity: Tensor) -> Tensor:
        """Equation 4, over the slots in the last dimension."""
        return F.softmax(similarity / self.temperature, dim=-1)

    @torch.no_grad()
    def fill(self, pooled: RegionMeans) -> None:
        """Fill the slots of each block with evenly spaced present vectors of its classes (N×K×C).

        If there are fewer vectors than slots, the remaining slots are not changed. All slots
        count as never written.
        """
        self.updates.zero_()
        rows, present = self._by_block(pooled)
        for block, taken in enumerate(present.unbind(dim=1)):
            vectors = rows[taken, block]
            count = min(len(vectors), self.slots.shape[1])
            chosen = torch.arange(count, device=vectors.device) * len(vectors) // max(count, 1)
            self.slots[block, :count] = vectors[chosen]

    def diagnostics(self) -> dict[str, float]:
        """Return statistics of how the memory is used.

        `use_entropy`: entropy of the updates over the slots of a block, in nats, averaged over
        blocks. `moved`: 1 − α^updates, the fraction of a slot's initial value that has been
        replaced, averaged over the slots in use. `read_entropy`, the entropy of a in equation 4,
        and `read_length`, |Q̂| / |Q|: means over the classes that the images of the last step show.
        """
        written = self.updates > 0
        moved = 1 - self.alpha ** self.updates[written].float()
        share = self.updates / self.updates.sum(dim=-1, keepdim=True).clamp(min=1)
        return {
            "use_entropy": _entropy(share).mean().item(),
            "moved": moved.mean().item() if len(moved) else 0.0,
        } | (self._last_read.statistics() if self._last_read else NOTHING_READ)

    def slots_used(self) -> list[int]:
        """Return the number of slots in each block that have been written so far."""
        return (self.updates > 0).sum(dim=-1).tolist()

    @torch.no_grad()
    def _write(self, query: RegionMeans, value: RegionMeans) -> None:
        """Equations 1 to 3: move each selected slot one step towards the mean of its values."""
        queries, reads = self._by_block(query)
        values, writes = self._by_block(value)

        chosen = self._similarity(queries).argmax(dim=-1)  # R×blocks
        chosen = F.one_hot(chosen, self.slots.shape[1])  # R×blocks×M
        chosen = (chosen * (reads & writes)[..., None]).float()
        sums = torch.einsum("rkm,rkc->kmc", chosen, values)
        counts = chosen.sum(dim=0)  # blocks×M
        all_reduce_sum([sums, counts])  # so that every rank applies the update of the whole batch

        written = counts > 0
        means = sums / counts.clamp(min=1)[..., None]
        step = (1 - self.alpha) * (means - self.slots)
        self.slots += torch.where(written[..., None], step, 0)
        self.updates += written

    def _read(self, query: RegionMeans) -> Tensor:
        """Equations 1, 4 and 5."""
        queries, present = self._by_block(query)
        attention = self.attention(self._similarity(queries))  # R×blocks×M
        read = torch.einsum("rkm,kmc->rkc", attention, self.slots)
        if self.training:
            self._last_read = Read(queries.detach(), attention.detach(), read.detach(), present)
        return (read * present[..., None]).view_as(query.means)

    def _similarity(self, queries: Tensor) -> Tensor:
        """Equation 1: R×blocks×C → cosines R×blocks×M, 0 for a row of zeros."""
        return torch.einsum(
            "rkc,kmc->rkm", F.normalize(queries, dim=-1), F.normalize(self.slots, dim=-1)
        )

    def _by_block(self, pooled: RegionMeans) -> RegionMeans:
        """B×K rows → R×blocks: R = B if each class has a block, R = B·K if all share one."""
        blocks, _, channels = self.slots.shape
        return RegionMeans(
            pooled.means.reshape(-1, blocks, channels), pooled.present.reshape(-1, blocks)
        )


def relative_length(read: Tensor, query: Tensor) -> Tensor:
    """|Q̂| / |Q| of vectors in the last dimension; 0 where Q is zero."""
    length: Tensor = query.norm(dim=-1)
    return torch.where(length > 0, read.norm(dim=-1) / length, 0)


def _entropy(probabilities: Tensor) -> Tensor:
    """Return the entropy over the last dimension, in nats."""
    entropy: Tensor = torch.special.entr(probabilities).sum(dim=-1)
    return entropy
