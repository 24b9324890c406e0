"""DSI's structure generator: a PixelCNN over the top codes, conditioned on the visible image.

Peng et al. 2021, section 3.2.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mdrnets.methods.dsi.blocks import (
    CausalAttention,
    CausalConv2d,
    GatedResidual,
    add_weight_norm,
    pointwise,
)

HEADS = 8


class ConditionNetwork(nn.Module):
    """Masked image, ones and hole → features h at H/8.

    Strided convolutions are padded symmetrically, as in the texture generator.
    """

    def __init__(self, *, base: int, rates: Sequence[int]) -> None:
        """Args: rates: dilations of the blocks at H/8."""
        super().__init__()
        widths = [base * 2**level for level in range(4)]
        layers: list[nn.Module] = [add_weight_norm(nn.Conv2d(5, base, 5, padding=2))]
        for before, after in pairwise(widths):
            layers.append(_residual(before, rate=1))
            layers.append(add_weight_norm(nn.Conv2d(before, after, 3, stride=2, padding=1)))
        layers.extend(_residual(widths[-1], rate=rate) for rate in rates)
        self.layers = nn.Sequential(*layers)
        self.channels = widths[-1]

    def forward(self, masked: Tensor, hole: Tensor) -> Tensor:
        """Args: masked B×3×H×W, zero in the hole; hole B×1×H×W. Returns B×8·base×H/8×W/8."""
        ones = torch.ones_like(hole)  # ones, so that zero padding marks the image border
        h: Tensor = self.layers(torch.cat([masked, ones, hole], dim=1))
        return h


class StructurePixelCNN(nn.Module):
    """Compute the logits of every code, given h and the preceding codes in raster order.

    Two streams: u depends on all rows above; v depends on the left part of the current row, on u,
    and by attention on all preceding positions.
    """

    def __init__(
        self,
        *,
        code_channels: int,
        codes: int,
        condition: int,
        channels: int,
        blocks: int,
        attentions: int,
        dropout: float,
    ) -> None:
        """Args:
        blocks: blocks in each stream; the last of every `blocks / attentions` has attention.
        """
        super().__init__()
        C, inputs = channels, code_channels + 1
        self.input_u = CausalConv2d(inputs, C, (2, 3), "down")
        self.input_v_above = CausalConv2d(inputs, C, (1, 3), "down")
        self.input_v_left = CausalConv2d(inputs, C, (2, 1), "down_right")
        every = blocks // attentions
        self.u_blocks = nn.ModuleList(
            GatedResidual(
                first=CausalConv2d(2 * C, C, (2, 3), "down"),
                second=CausalConv2d(2 * C, 2 * C, (2, 3), "down"),
                channels=C,
                condition=condition,
                dropout=dropout,
            )
            for _ in range(blocks)
        )
        self.v_blocks = nn.ModuleList(
            GatedResidual(
                first=CausalConv2d(2 * C, C, (2, 2), "down_right"),
                second=CausalConv2d(2 * C, 2 * C, (2, 2), "down_right"),
                channels=C,
                stream=C,
                condition=condition,
                attention=CausalAttention(channels=C, heads=HEADS)
                if (block + 1) % every == 0
                else None,
                dropout=dropout,
            )
            for block in range(blocks)
        )
        self.outputs = nn.ModuleList(pointwise(C, C) for _ in range(blocks))
        self.head = pointwise(C, codes)

    def forward(self, vectors: Tensor, h: Tensor) -> Tensor:
        """Args: vectors B×D×H×W, the codes' vectors; h B×C_h×H×W. Returns logits B×K×H×W."""
        e = append_ones(vectors)
        u = _shift_down(self.input_u(e))
        v = _shift_down(self.input_v_above(e)) + _shift_right(self.input_v_left(e))
        for u_block, v_block in zip(self.u_blocks, self.v_blocks, strict=True):
            u = u_block(u, h=h)
            v = v_block(v, a=u, h=h)
        return self._logits(v)

    def _logits(self, v: Tensor) -> Tensor:
        for output in self.outputs:
            v = v + output(F.elu(v))
        logits: Tensor = self.head(F.elu(v))
        return logits


def _residual(channels: int, *, rate: int) -> GatedResidual:
    def conv(after: int, dilation: int) -> nn.Conv2d:
        return add_weight_norm(
            nn.Conv2d(2 * channels, after, 3, padding=dilation, dilation=dilation)
        )

    return GatedResidual(
        first=conv(channels, rate), second=conv(2 * channels, 1), channels=channels
    )


def append_ones(vectors: Tensor) -> Tensor:
    """Add a channel of ones (the second dimension), so that zero padding marks the border."""
    return torch.cat([vectors, torch.ones_like(vectors[:, :1])], dim=1)


def _shift_down(x: Tensor) -> Tensor:
    return F.pad(x[:, :, :-1], (0, 0, 1, 0))


def _shift_right(x: Tensor) -> Tensor:
    return F.pad(x[..., :-1], (1, 0))
