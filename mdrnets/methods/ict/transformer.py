"""ICT's bidirectional transformer over the cells of a small image.

Wan et al. 2021, section 3.1: no causal mask, so that every missing cell sees all known ones.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

INIT_STD = 0.02


class AppearanceTransformer(nn.Module):
    """Tokens and their mask → logits of the colour of every cell."""

    def __init__(self, *, cells: int, colours: int, width: int, heads: int, blocks: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(colours, width)
        self.positions = nn.Parameter(torch.zeros(cells, width))
        self.blocks = nn.ModuleList(Block(width=width, heads=heads) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, colours, bias=False)

        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, 0, INIT_STD)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def forward(self, tokens: Tensor, masked: Tensor, cells: Tensor | None = None) -> Tensor:
        """Args:
            tokens: int64 B×N, ignored where masked.
            masked: bool B×N.
            cells: int64 B×K, the cells whose logits are needed; None: all of them.

        Returns:
            Logits B×N×V, or B×K×V.
        """
        # A masked cell has only its position embedding; no token means "missing".
        x = self.tokens(tokens) * ~masked.unsqueeze(-1) + self.positions  # B×N×d
        *blocks, last = self.blocks
        for block in blocks:
            x = block(x)
        x = last(x, cells)
        logits: Tensor = self.head(self.norm(x))
        return logits


class Block(nn.Module):
    """Attention and a two-layer perceptron, each with LayerNorm before and a shortcut."""

    def __init__(self, *, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.query, self.key, self.value, self.projection = (
            nn.Linear(width, width) for _ in range(4)
        )
        self.mlp_norm = nn.LayerNorm(width)
        self.inner, self.outer = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor, cells: Tensor | None = None) -> Tensor:
        """Args: x B×N×d; cells int64 B×K, those to compute, or None. Returns B×N×d or B×K×d."""
        y = z = self.attention_norm(x)
        if cells is not None:  # keys and values are still those of all cells
            index = cells.unsqueeze(-1).expand(-1, -1, x.shape[2])
            x, z = x.gather(1, index), y.gather(1, index)
        query, key, value = (
            linear(inputs).unflatten(2, (self.heads, -1)).transpose(1, 2)  # B×heads×N×d/heads
            for linear, inputs in ((self.query, z), (self.key, y), (self.value, y))
        )
        attended = F.scaled_dot_product_attention(query, key, value)
        x = x + self.projection(attended.transpose(1, 2).flatten(2))

        y = self.inner(self.mlp_norm(x))
        output: Tensor = x + self.outer(y * torch.sigmoid(1.702 * y))  # the authors' GELU
        return output


def masked_cross_entropy(logits: Tensor, tokens: Tensor, masked: Tensor) -> Tensor:
    """Mean negative log-likelihood of the masked cells; known cells are ignored.

    Divided by the number of masked cells (the authors' `dynamic weight`), so that the loss does not
    depend on the hole's size. Args: logits B×N×V, tokens int64 B×N, masked bool B×N.
    """
    each = F.cross_entropy(logits.flatten(0, 1).float(), tokens.flatten(), reduction="none")
    weight = masked.flatten().to(each.dtype)
    return (each * weight).sum() / weight.sum().clamp(min=1)


@torch.no_grad()
def sample_masked(
    transformer: AppearanceTransformer,
    tokens: Tensor,
    masked: Tensor,
    *,
    generator: torch.Generator,
    top_k: int,
    temperature: float,
    chunk: int,
) -> Tensor:
    """Sample the masked cells in raster order, each given those filled before it.

    One forward pass fills `chunk` cells of each image; images are batched, each with its own mask.
    With `chunk` 1 this is the authors' Gibbs-like sampling.

    Args: tokens int64 B×N; masked bool B×N. Returns int64 B×N; known tokens are unchanged.
    """
    tokens, masked = tokens.clone(), masked.clone()
    while masked.any():
        # The next cells of each image; complete images are left out.
        active = masked.any(dim=1).nonzero()[:, 0]
        turn = masked[active].cumsum(dim=1).le(chunk) & masked[active]  # A×N
        # The same number of cells for each image, padded with others: their logits are dropped.
        cells = turn.byte().argsort(dim=1, descending=True, stable=True)[:, :chunk]  # A×K
        logits = transformer(tokens[active], masked[active], cells)
        logits = logits[turn.gather(1, cells)].float() / temperature
        best, index = logits.topk(min(top_k, logits.shape[-1]), dim=-1)
        drawn = torch.multinomial(best.softmax(dim=-1), 1, generator=generator)
        image, cell = turn.nonzero(as_tuple=True)
        tokens[active[image], cell] = index.gather(1, drawn)[:, 0]
        masked[active[image], cell] = False
    return tokens
