"""A codebook learned by moving averages, with straight-through quantisation.

van den Oord et al., "Neural Discrete Representation Learning" (NIPS 2017), appendix A.1; Razavi et
al., "Generating Diverse High-Fidelity Images with VQ-VAE-2" (NeurIPS 2019).
"""

from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor

from mdrnets.config.marks import Chosen
from mdrnets.networks.precision import without_autocast
from mdrnets.networks.step_count import StepCount
from mdrnets.runtime.distributed import all_reduce_sum, broadcast

SMOOTHING = 1e-5  # of the counts
# A code with less than this fraction of the mean count is re-seeded in the first RESEED_STEPS.
RARE: Annotated[float, Chosen("fraction of the mean use of a code")] = 0.01
RESEED_STEPS: Annotated[int, Chosen("later the codes are stable")] = 50_000


@dataclass(frozen=True)
class Quantisation:
    """Output of a vector quantiser.

    Attributes:
        vectors: B×D×H×W, the nearest codes; gradients are copied to the input (straight-through).
        indices: int64 B×H×W.
        commitment: mean squared distance between the input and its codes, a scalar.
    """

    vectors: Tensor
    indices: Tensor
    commitment: Tensor


class VectorQuantiser(StepCount):
    """Nearest of K codes; in training, each code follows the mean of the vectors assigned to it.

    Averages are zero-debiased. A code that was never used keeps its vector (in the authors' code
    of DSI it becomes zero). One that is no longer used shrinks to zero within some thousand steps,
    unless it is re-seeded before. The first batch initialises all codes; rare codes are re-seeded
    from the current batch every `reseed_every` steps, during the first `RESEED_STEPS` steps.
    """

    codebook: Tensor
    counts: Tensor
    sums: Tensor
    steps: Tensor

    def __init__(
        self, *, codes: int, channels: int, decay: float = 0.99, reseed_every: int = 1000
    ) -> None:
        super().__init__("steps")
        self.decay, self.reseed_every = decay, reseed_every
        self.register_buffer("codebook", torch.randn(codes, channels))
        self.register_buffer("counts", torch.zeros(codes))
        self.register_buffer("sums", torch.zeros(codes, channels))

    def forward(self, z: Tensor) -> Quantisation:
        """Args: z B×D×H×W. In training mode the codebook is updated after use.

        Distances are computed in full precision, independent of the precision of z.
        """
        flat = z.detach().permute(0, 2, 3, 1).flatten(0, 2).to(self.codebook.dtype)  # N×D
        if self.training and self.count == 0:
            self.codebook.copy_(_draw_rows(flat, len(self.codebook)))
        nearest = torch.cdist(flat, self.codebook).argmin(dim=1)
        indices = nearest.view(z.shape[0], *z.shape[2:])
        codes = self.lookup(indices)
        if self.training:
            self._update(flat, nearest)
        return Quantisation(
            vectors=z + (codes - z).detach(),
            indices=indices,
            commitment=F.mse_loss(z, codes),
        )

    def lookup(self, indices: Tensor) -> Tensor:
        """Look up codes: int64 B×H×W → B×D×H×W."""
        return self.codebook[indices].permute(0, 3, 1, 2)

    @torch.no_grad()
    def _update(self, flat: Tensor, nearest: Tensor) -> None:
        step = self.count_update()
        assigned = F.one_hot(nearest, len(self.codebook)).to(flat.dtype)  # N×K
        with without_autocast(flat):  # averages need full precision
            new_counts, new_sums = assigned.sum(dim=0), assigned.T @ flat
            # Every rank applies the update of the whole batch.
            all_reduce_sum([new_counts, new_sums])
            self.counts.lerp_(new_counts, 1 - self.decay)
            self.sums.lerp_(new_sums, 1 - self.decay)

        debias = 1 - self.decay**step
        counts, sums = self.counts / debias, self.sums / debias
        total = counts.sum()
        smooth = (counts + SMOOTHING) / (total + len(counts) * SMOOTHING) * total
        used = (counts > 0).unsqueeze(1)  # K×1
        self.codebook.copy_(torch.where(used, sums / smooth.unsqueeze(1), self.codebook))

        if step % self.reseed_every == 0 and step <= RESEED_STEPS:
            # Rarely enough that reading the number of rare codes may wait for a GPU.
            rare = counts < RARE * total / len(counts)
            self.codebook[rare] = _draw_rows(flat, int(rare.sum()))
            # Set their averages to match; otherwise the next step would undo the re-seeding.
            mean = self.counts.mean()
            self.counts[rare] = mean
            self.sums[rare] = self.codebook[rare] * mean


def _draw_rows(flat: Tensor, count: int) -> Tensor:
    """Sample rows of N×D with replacement; every rank gets the rows of rank 0."""
    rows = flat[torch.randint(len(flat), (count,), device=flat.device)]
    broadcast([rows])
    return rows
