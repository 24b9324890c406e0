"""Weight-normalised convolutions and the gated residual block of DSI's structure generator.

Peng et al. 2021, section 3.2, after PixelCNN++ (Salimans et al. 2017) and PixelSNAIL (Chen et al.
2018).

Causal layers depend only on positions above and to the left, so that a grid can be generated in
raster order (see `sampling`).
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from mdrnets.networks.precision import full_precision, without_autocast

INIT_STD = 0.05


def add_weight_norm(layer: nn.Conv2d) -> nn.Conv2d:
    """Weight normalisation per output channel: unit gain, zero bias."""
    nn.init.normal_(layer.weight, 0, INIT_STD)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    weight_norm(layer)
    nn.init.ones_(layer.parametrizations.weight.original0)  # type: ignore[union-attr, arg-type]
    return layer


def pointwise(before: int, after: int) -> nn.Conv2d:
    """Network in network: the same dense layer at every position."""
    return add_weight_norm(nn.Conv2d(before, after, 1))


class CausalConv2d(nn.Module):
    """A causal convolution over the rows above and the current row.

    `down` covers the whole current row (for the vertical stream, which is shifted down before use);
    `down_right` covers its left part and the current position.
    """

    def __init__(
        self, before: int, after: int, kernel: tuple[int, int], sees: Literal["down", "down_right"]
    ) -> None:
        super().__init__()
        height, width = kernel
        self.above = height - 1
        side = (width - 1) // 2
        self.sides = (side, side) if sees == "down" else (width - 1, 0)
        self.conv = add_weight_norm(nn.Conv2d(before, after, kernel))

    def forward(self, x: Tensor) -> Tensor:
        """Args: x B×C×H×W. Returns the same height and width."""
        output: Tensor = self.conv(F.pad(x, (*self.sides, self.above, 0)))
        return output


class CausalAttention(nn.Module):
    """Multi-head attention to all earlier positions in raster order (none for the first)."""

    def __init__(self, *, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = pointwise(channels, channels)
        self.key = pointwise(channels, channels)
        self.value = pointwise(channels, channels * heads // 2)
        self.output = pointwise(channels * heads // 2, channels)

    def forward(self, y: Tensor) -> Tensor:
        """Args: y B×C×H×W. Returns the same shape."""
        query, key, value = (
            full_precision(layer(y)).unflatten(1, (self.heads, -1)).flatten(3)  # B×heads×c×N
            for layer in (self.query, self.key, self.value)
        )

        # Users of the authors' code report NaN in this stage, so we avoid half precision.
        with without_autocast(y):
            scores = query.mT @ key / query.shape[2] ** 0.5  # B×heads×N×N
            allowed = torch.ones_like(scores[0, 0], dtype=torch.bool).tril(-1)
            scores = scores.masked_fill(~allowed, -torch.inf)
            # The first position has no earlier one: set its weights to 0 instead of NaN.
            largest = scores.detach().amax(dim=3, keepdim=True).clamp(min=-1e30)
            weights = torch.exp(scores - largest)
            weights = weights / (weights.sum(dim=3, keepdim=True) + 1e-10)
            attended = (value @ weights.mT).flatten(1, 2)  # B×(heads·v)×N
        output: Tensor = self.output(attended.unflatten(2, y.shape[2:]))
        return output


class GatedResidual(nn.Module):
    """x + dropout(p · σ(q)), where (p, q) come from x, a second stream a and a condition h."""

    def __init__(
        self,
        *,
        first: nn.Module,
        second: nn.Module,
        channels: int,
        stream: int | None = None,
        condition: int | None = None,
        attention: nn.Module | None = None,
        dropout: float = 0.0,
    ) -> None:
        """Args:
        first, second: layers 2C → C and 2C → 2C.
        stream, condition: channels of a and h; None if the block does not use them.
        """
        super().__init__()
        self.first, self.second = first, second
        self.stream = None if stream is None else pointwise(2 * stream, channels)
        self.condition = None if condition is None else pointwise(2 * condition, 2 * channels)
        self.attention, self.dropout = attention, dropout

    def forward(self, x: Tensor, *, a: Tensor | None = None, h: Tensor | None = None) -> Tensor:
        """Args: x, a B×C×H×W; h B×C_h×H×W. Returns the shape of x."""
        c = self.first(concat_elu(x))
        if self.stream is not None and a is not None:
            c = c + self.stream(concat_elu(a))
        c = self.second(concat_elu(c))
        if self.condition is not None and h is not None:
            c = c + self.condition(concat_elu(h))
        p, q = c.chunk(2, dim=1)
        y = p * torch.sigmoid(q)
        if self.attention is not None:
            y = y + self.attention(y)
        return x + F.dropout(y, self.dropout, self.training)


def concat_elu(x: Tensor) -> Tensor:
    """B×C×H×W → B×2C×H×W."""
    return F.elu(torch.cat([x, -x], dim=1))
