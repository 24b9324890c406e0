"""Contribution of each part of a trained ICT, measured on validation images only.

For a data set of a finished run: the L1 in the hole for the image that the transformer samples (in
palette colours), for the upsampler's output, and for both with the true tokens.

    python benchmarks/ict_parts.py --profile demo rendered_a
"""

import sys
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.parts import ICT_PARTS
from benchmarks.validation_faces import from_command_line, hole_l1, mean_fill
from mdrnets.methods.ict.method import ICT
from mdrnets.methods.ict.palette import quantise, reduce_to_grid
from mdrnets.methods.ict.transformer import sample_masked


def main() -> None:
    run = from_command_line(__doc__, "ict")
    assert isinstance(run.model, ICT), "ict is ICT"
    rows = _fill_hole(run.model, run.image, run.hole, seed=run.config.protocol.seed)
    run.report(ICT_PARTS, rows)


@torch.no_grad()
def _fill_hole(model: ICT, image: Tensor, hole: Tensor, *, seed: int) -> list[tuple[str, float]]:
    masked = image * (1 - hole)
    sampled = model._prior(_draw_tokens(model, masked, hole, seed))
    true = model._prior(model._tokens(image))

    def upsample(prior: Tensor) -> Tensor:
        output: Tensor = model.upsampler((masked + 1) / 2, hole, prior)
        return output * 2 - 1

    outputs = {
        "mean of the valid pixels": mean_fill(image, hole),
        "the transformer's picture": sampled * 2 - 1,
        "ICT: the upsampler, from that": upsample(sampled),
        "the picture of the true tokens": true * 2 - 1,
        "the upsampler, from the true picture": upsample(true),
    }
    return [(name, hole_l1(output, image, hole)) for name, output in outputs.items()]


def _draw_tokens(model: ICT, masked: Tensor, hole: Tensor, seed: int) -> Tensor:
    """Sample tokens B×N as for a completion."""
    options = model.options
    colours, missing = reduce_to_grid(masked, hole, options.grid)
    return sample_masked(
        model.transformer,
        quantise(colours, model.palette),
        missing,
        generator=torch.Generator().manual_seed(seed),
        top_k=options.top_k,
        temperature=options.temperature,
        chunk=options.chunk,
    )


if __name__ == "__main__":
    main()
