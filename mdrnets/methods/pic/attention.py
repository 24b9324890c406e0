"""Short and long term attention: one attention map for both kinds of memory.

Zheng et al., "Pluralistic Image Completion" (CVPR 2019), section 3.3: the decoder's own features
(short term) and the encoder's features of the visible part (long term). We do not follow the
authors' later advice for irregular holes, to fill the latter with the former.
"""

import torch
from torch import Tensor, nn

from mdrnets.methods.pic.blocks import ResBlock
from mdrnets.networks.precision import full_precision, without_autocast

INIT_GAIN = 0.02
SLOPE = 0.01  # the authors' block uses the framework's default here


class SelfAttention(nn.Module):
    """x + γ · attention(x); γ is initialised with 0. Queries and keys are the same."""

    def __init__(self, *, channels: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, channels // 4, 1)  # not spectrally normalised
        nn.init.orthogonal_(self.query.weight, INIT_GAIN)
        nn.init.zeros_(self.query.bias)  # type: ignore[arg-type]
        self.gamma = nn.Parameter(torch.zeros(1))

    def weights(self, x: Tensor) -> Tensor:
        """Return the attention map A, B×N×N; rows sum to 1."""
        query = self.query(x).flatten(2)  # B×C/4×N
        # Exponentials of sums over channels need full precision.
        with without_autocast(x):
            query = full_precision(query)
            return torch.softmax(query.mT @ query, dim=-1)

    def forward(self, x: Tensor) -> Tensor:
        """Args: x B×C×H×W. Returns the same shape."""
        output: Tensor = self.gamma * attend(self.weights(x), x) + x
        return output


class ShortLongTermAttention(nn.Module):
    """Both memories, merged by a residual block; α of the long term is initialised with 0."""

    def __init__(self, *, channels: int) -> None:
        super().__init__()
        self.short_term = SelfAttention(channels=channels)
        self.alpha = nn.Parameter(torch.zeros(1))
        self.merge = ResBlock(
            in_channels=2 * channels, out_channels=channels, hidden=channels, slope=SLOPE
        )

    def forward(self, x: Tensor, encoded: Tensor, valid: Tensor) -> Tensor:
        """Args: x, encoded B×C×H×W; valid B×1×H×W, in [0, 1]. Returns B×C×H×W."""
        weights = self.short_term.weights(x)
        short = self.short_term.gamma * attend(weights, x) + x
        long = self.alpha * (1 - valid) * attend(weights, encoded) + valid * encoded
        output: Tensor = self.merge(torch.cat([short, long], dim=1))
        return output


def attend(weights: Tensor, values: Tensor) -> Tensor:
    """Σ_j A_ij v_j: weights B×N×N, values B×C×H×W with N = H·W. Returns B×C×H×W."""
    return (values.flatten(2) @ weights.mT.to(values.dtype)).view_as(values)
