"""Contribution of each part of a trained MDRNets, measured on validation images only.

For a data set of a finished run: the L1 in the hole with one part replaced at a time, the share of
each loss term in the generator's gradient, the selectivity of the memory, and the attention of
masked correlation mining. Test images are not used.

    python benchmarks/mdrnets_parts.py --profile demo rendered_a
"""

import math
import sys
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.parts import LOSS_TERMS, MDRNETS_PARTS, MEMORY
from benchmarks.validation_faces import from_command_line, hole_l1, mean_fill
from mdrnets.methods.mdrnets.memory import relative_length
from mdrnets.methods.mdrnets.method import MDRNets

BATCH = 20


def main() -> None:
    run = from_command_line(__doc__, "mdrnets")
    model = run.model
    assert isinstance(model, MDRNets), "mdrnets is MDRNets"
    run.report(MDRNETS_PARTS, _replace_parts(model, run.image, run.hole))
    run.report(LOSS_TERMS, _gradients(model, run.image, run.hole))
    run.report(MEMORY, _memory(model, run.image, run.hole))


@torch.no_grad()
def _replace_parts(model: MDRNets, image: Tensor, hole: Tensor) -> list[tuple[str, float]]:
    """Return content of the hole → L1 in the hole in %, as in `stages.validate`."""
    parse = model.frozen("parser").parse
    masked = image * (1 - hole)
    coarse = model.complete_coarsely(masked, hole)

    def refine_with(guide: Callable[[Tensor], Tensor]) -> Tensor:
        """Refine with the given guidance features."""
        return model.decode(masked, hole, coarse, guide(model.style_encoder(coarse)))

    def without_memory(features: Tensor) -> Tensor:
        fused, small = model.fuse_features(features, parse(coarse), hole, memory=None)
        return fused if model.correlation is None else model.correlation(fused, small)

    def without_correlation(features: Tensor) -> Tensor:
        return model.fuse_features(features, parse(coarse), hole, memory=model.memory)[0]

    outputs = {
        "mean of the valid pixels": mean_fill(image, hole),
        "the coarse network": coarse,
        "MDRNets": model.refine(masked, hole, coarse, parse(coarse)),
        "MDRNets, classes of the true face": model.refine(masked, hole, coarse, parse(image)),
        "MDRNets, true face in place of the coarse one": model.refine(
            masked, hole, image, parse(image)
        ),
        "MDRNets, zeros in place of the guidance": refine_with(torch.zeros_like),
        "MDRNets, style features in place of the guidance": refine_with(lambda features: features),
    }
    if model.memory is not None:
        outputs["MDRNets, Q in place of Q̂"] = refine_with(without_memory)
    if model.correlation is not None:
        outputs["MDRNets without correlation mining"] = refine_with(without_correlation)
    return [(name, hole_l1(output, image, hole)) for name, output in outputs.items()]


def _gradients(model: MDRNets, image: Tensor, hole: Tensor) -> list[tuple[str, float]]:
    """Measure the share of each weighted loss term in the sum of the gradients' norms at I_o."""
    parse = model.frozen("parser").parse
    norms: dict[str, float] = {}
    losses = model._losses()
    for part, part_hole in zip(image.split(BATCH), hole.split(BATCH), strict=True):
        masked = part * (1 - part_hole)
        with torch.no_grad():
            coarse = model.complete_coarsely(masked, part_hole)
            output = model.refine(masked, part_hole, coarse, parse(coarse))
        output.requires_grad_()
        terms = losses(output=output, image=part, hole=part_hole, labels=parse(part))
        for name, term in terms.items():
            (gradient,) = torch.autograd.grad(term, output, retain_graph=True)
            norms[name] = norms.get(name, 0.0) + gradient.norm().item()
    total = sum(norms.values())
    shares = [(name.replace("_", " "), 100 * norm / total) for name, norm in norms.items()]
    return sorted(shares, key=lambda share: -share[1])


@torch.no_grad()
def _memory(model: MDRNets, image: Tensor, hole: Tensor) -> list[tuple[str, float]]:
    """Measure how the memory separates faces and classes, and where hole patches attend."""
    parse = model.frozen("parser").parse
    coarse = model.complete_coarsely(image * (1 - hole), hole)
    labels, truth = parse(coarse), parse(image)
    inside = hole[:, 0] > 0
    rows = [
        (
            "parser on the coarse face: pixels classed as on the true one, %",
            _agreement(labels, truth),
        ),
        ("the same in the hole, %", _agreement(labels[inside], truth[inside])),
    ]
    if model.memory is not None:
        query = model.pool_style(coarse, labels)
        read = model.memory(query, query)  # eval mode does not write to the memory
        attention = model.memory.attention(model.memory.similarity(query))
        entropy = torch.special.entr(attention).sum(-1)
        rows += [
            (
                "entropy of a read, % of ln m",
                100 * entropy[query.present].mean().item() / math.log(attention.shape[-1]),
            ),
            (
                "variation over faces, Q̂ over Q, %",
                100
                * _std_over_faces(read, query.present)
                / _std_over_faces(query.means, query.present),
            ),
            (
                "length of Q̂ over Q",
                relative_length(read, query.means)[query.present].mean().item(),
            ),
            (
                "cosine of Q̂ and Q",
                F.cosine_similarity(read, query.means, dim=-1)[query.present].mean().item(),
            ),
        ]
    if model.correlation is not None:
        features = model.style_encoder(coarse)
        fused, small = model.fuse_features(features, labels, hole, memory=model.memory)
        relation = model.correlation.relation(fused)
        patch_hole = F.max_pool2d(small, model.correlation.patch_size).flatten(
            1
        )  # any missing pixel
        entropy = torch.special.entr(relation).sum(-1)[patch_hole > 0]
        mass = (relation * (1 - patch_hole)[:, None]).sum(-1)[patch_hole > 0]
        rows += [
            (
                "entropy of a patch's relations, % of ln N",
                100 * entropy.mean().item() / math.log(relation.shape[-1]),
            ),
            ("relations of a patch in the hole to whole patches, %", 100 * mass.mean().item()),
            ("share of such patches, %", 100 * (1 - patch_hole).mean().item()),
        ]
    return rows


def _agreement(labels: Tensor, truth: Tensor) -> float:
    return 100 * (labels == truth).float().mean().item()


def _std_over_faces(rows: Tensor, present: Tensor) -> float:
    """Average the standard deviation over the faces in which a class is present."""
    deviations = [
        rows[present[:, k], k].std(0).mean()
        for k in range(rows.shape[1])
        if present[:, k].sum() > 1
    ]
    return torch.stack(deviations).mean().item()


if __name__ == "__main__":
    main()
