"""Sampling of DSI's structure codes, each from the ones before it in raster order.

The vertical stream is computed row by row, the horizontal one position by position: every layer
keeps what later positions need. The logits are those of `StructurePixelCNN.forward`.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize

from mdrnets.methods.dsi.blocks import CausalAttention, CausalConv2d, GatedResidual, concat_elu
from mdrnets.methods.dsi.structure import StructurePixelCNN, append_ones
from mdrnets.networks.precision import without_autocast


@torch.no_grad()
def sample_codes(
    network: StructurePixelCNN, h: Tensor, codebook: Tensor, generator: torch.Generator
) -> Tensor:
    """Sample a grid of codes for each image of the batch.

    In full precision, also under autocast, which would convert all weights at each position.

    Args:
        network: in eval mode.
        h: the condition, B×C_h×H×W.
        codebook: K×D.
        generator: of the device of h.

    Returns:
        int64 B×H×W.
    """
    # The weights do not change during sampling.
    with parametrize.cached(), without_autocast(h):
        return _sample(network, h.to(codebook.dtype), codebook, generator)


def _sample(
    network: StructurePixelCNN, h: Tensor, codebook: Tensor, generator: torch.Generator
) -> Tensor:
    B, _, H, W = h.shape
    codes = torch.zeros(B, H, W, dtype=torch.int64, device=h.device)
    condition = concat_elu(h)
    rows = [_BlockOfRow(block, condition) for block in network.u_blocks]
    blocks = [_BlockOfPosition(block, condition) for block in network.v_blocks]
    input_u, input_left = _ConvOfRow(network.input_u), _ConvOfPosition(network.input_v_left)
    outputs = [_matrix(layer) for layer in network.outputs]
    head = _matrix(network.head)

    u = from_above = h.new_zeros(B, network.head.in_channels, 1, W)  # no row above
    nothing = h.new_zeros(B, network.head.in_channels, 1, 1)
    for y in range(H):
        for row, block in zip(rows, blocks, strict=True):
            u = row(u, y)
            block.start_row(u, y)
        input_left.start_row(nothing.expand_as(u))

        vectors = []
        from_left = nothing.flatten(1)
        for x in range(W):
            v = from_above[:, :, 0, x] + from_left
            for block in blocks:
                v = block(v, x)
            for weight, bias in outputs:
                v = v + F.linear(F.elu(v), weight, bias)
            codes[:, y, x] = draw(F.linear(F.elu(v), *head), generator)
            vectors.append(append_ones(codebook[codes[:, y, x]]))
            from_left = input_left(vectors[-1], x)

        finished = torch.stack(vectors, dim=2).unsqueeze(2)  # B×(D+1)×1×W
        u, from_above = input_u(finished), network.input_v_above(finished)
    return codes


def draw(logits: Tensor, generator: torch.Generator) -> Tensor:
    """Draw a code for each image: logits B×K → int64 B."""
    weights = logits.float().softmax(dim=1)
    return torch.multinomial(weights, 1, generator=generator)[:, 0]


class _ConvOfRow:
    """A causal convolution of height 2, row by row."""

    def __init__(self, layer: nn.Module) -> None:
        assert isinstance(layer, CausalConv2d)
        self.layer = layer
        self.above: Tensor | None = None

    def __call__(self, x: Tensor) -> Tensor:
        """B×C×1×W → B×C'×1×W."""
        above = torch.zeros_like(x) if self.above is None else self.above
        self.above = x
        output: Tensor = self.layer.conv(F.pad(torch.cat([above, x], dim=2), self.layer.sides))
        return output


class _BlockOfRow:
    """A block of the vertical stream, row by row; the condition is projected once."""

    def __init__(self, block: nn.Module, condition: Tensor) -> None:
        assert isinstance(block, GatedResidual) and block.condition is not None
        self.first, self.second = _ConvOfRow(block.first), _ConvOfRow(block.second)
        self.condition: Tensor = block.condition(condition)  # B×2C×H×W

    def __call__(self, u: Tensor, y: int) -> Tensor:
        """B×C×1×W of row y → the same shape."""
        c = self.second(concat_elu(self.first(concat_elu(u))))
        return u + F.glu(c + self.condition[:, :, y : y + 1], dim=1)


class _ConvOfPosition:
    """A causal convolution of height 2 that ends at its own position.

    The contributions of the row above and of other terms are computed once for each row.
    """

    def __init__(self, layer: nn.Module) -> None:
        assert isinstance(layer, CausalConv2d)
        self.weight_above, weight = layer.conv.weight.split(1, dim=2)  # C'×C×1×k each
        self.bias, self.sides, self.width = layer.conv.bias, layer.sides, weight.shape[3]
        self.weight = weight.squeeze(2).permute(2, 1, 0).flatten(0, 1)  # k·C×C'
        self.row: list[Tensor] = []

    def start_row(self, terms: Tensor) -> None:
        """Begin a row. Args: terms B×C'×1×W, added to the output."""
        assert self.bias is not None
        if self.row:
            above = torch.stack(self.row, dim=2).unsqueeze(2)  # padded on the left already
            terms = terms + F.conv2d(above, self.weight_above, self.bias)
        else:
            terms = terms + self.bias.view(1, -1, 1, 1)
        self.terms = terms.squeeze(2).permute(2, 0, 1).contiguous()  # W×B×C'
        inputs = self.weight_above.shape[1]
        self.row = [terms.new_zeros(len(terms), inputs) for _ in range(self.width - 1)]

    def __call__(self, x: Tensor, column: int) -> Tensor:
        """B×C → B×C'."""
        self.row.append(x)
        return torch.addmm(
            self.terms[column], torch.cat(self.row[-self.width :], dim=1), self.weight
        )


class _AttentionOfPosition:
    """Attention of one position to all earlier ones, whose keys and values are kept."""

    def __init__(self, layer: nn.Module, *, batch: int, positions: int) -> None:
        assert isinstance(layer, CausalAttention)
        self.heads = layer.heads
        self.query, self.key, self.value, self.output = (
            _matrix(part) for part in (layer.query, layer.key, layer.value, layer.output)
        )
        self.keys, self.values = (
            bias.new_empty(batch, self.heads, positions, len(bias) // self.heads)
            for _, bias in (self.key, self.value)
        )
        self.count = 0

    def __call__(self, y: Tensor) -> Tensor:
        """B×C → the same shape."""
        query, key, value = (
            F.linear(y, *matrix).unflatten(1, (self.heads, 1, -1))  # B×heads×1×c
            for matrix in (self.query, self.key, self.value)
        )
        keys, values = self.keys[:, :, : self.count], self.values[:, :, : self.count]
        # Without an earlier position, an empty sum.
        weights = torch.softmax(query @ keys.mT / query.shape[3] ** 0.5, dim=3)
        attended = (weights @ values).flatten(1)
        self.keys[:, :, self.count : self.count + 1] = key
        self.values[:, :, self.count : self.count + 1] = value
        self.count += 1
        return F.linear(attended, *self.output)


class _BlockOfPosition:
    """A block of the horizontal stream, position by position."""

    def __init__(self, block: nn.Module, condition: Tensor) -> None:
        assert isinstance(block, GatedResidual)
        assert block.condition is not None and block.stream is not None
        self.first, self.second = _ConvOfPosition(block.first), _ConvOfPosition(block.second)
        self.stream = block.stream
        self.condition: Tensor = block.condition(condition)  # B×2C×H×W
        B, _, H, W = condition.shape
        self.attention = (
            None
            if block.attention is None
            else _AttentionOfPosition(block.attention, batch=B, positions=H * W)
        )

    def start_row(self, u: Tensor, y: int) -> None:
        """Begin row y. Args: u B×C×1×W, the vertical stream."""
        self.first.start_row(self.stream(concat_elu(u)))
        self.second.start_row(self.condition[:, :, y : y + 1])

    def __call__(self, v: Tensor, column: int) -> Tensor:
        """B×C → the same shape."""
        c = self.second(concat_elu(self.first(concat_elu(v), column)), column)
        gated = F.glu(c, dim=1)
        if self.attention is not None:
            gated = gated + self.attention(gated)
        return v + gated


def _matrix(layer: nn.Module) -> tuple[Tensor, Tensor]:
    """Weight C'×C and bias C' of a 1×1 convolution."""
    assert isinstance(layer, nn.Conv2d) and layer.bias is not None
    return layer.weight.flatten(1), layer.bias
