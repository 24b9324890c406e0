"""Titles and captions of the outputs of the report.

The page and Snakemake's report use them. Tables and figures of variants have their titles
from params.yaml. Import-light: plain data.
"""

import re
from typing import NamedTuple

from mdrnets.config.load import Config


class Caption(NamedTuple):
    """The title and the caption of a table or a figure.

    Attributes:
        title: a few words, without a full stop.
        text: one sentence, without markup.
    """

    title: str
    text: str


# Name of the output without suffix → caption.
CAPTIONS = {
    "table1": Caption(
        "Table 1",
        "L1, Fréchet distance, PSNR and SSIM of every method by hole ratio, with intervals (of "
        "several trainings: standard deviations), beside the published values.",
    ),
    "table1_extended": Caption(
        "Table 1, extended",
        "Scores that the paper does not print: over the hole only, of the outputs before "
        "compositing, and the kernel distance.",
    ),
    "claims": Caption(
        "Claims",
        "Each claim of the paper about MDRNets with its tests: supported, contradicted, undecided, "
        "or not tested.",
    ),
    "refinement": Caption(
        "What the refinement adds",
        "On validation images: the outputs against the coarse faces that they refine, and each "
        "variant against the next one in the paper's order, with the number of trainings whose "
        "paired interval excludes 0.",
    ),
    "trends": Caption(
        "Training trends",
        "How much the main loss of each network but the variants changed over the second half of "
        "each phase of its first training, by a line fitted to its logarithm, with the 95 % "
        "interval of the change: with more steps, a training that was still improving might end "
        "elsewhere in the tables; phases with fewer than five logged means in that half are left "
        "out.",
    ),
    "figure1": Caption(
        "Figure 1",
        "Test images with holes of the largest bin, above their completions; the images were "
        "picked at random by seed, not by result; methods are shown by their first training.",
    ),
    "figure5": Caption(
        "Figure 5",
        "Masked input, the completions of all methods, each by its first training, and the ground "
        "truth, by data set and hole ratio; the images were picked at random by seed, not by "
        "result.",
    ),
    "error_map": Caption(
        "Error maps",
        "Mean absolute error of each pixel over the test images whose hole contains it, for the "
        "first training of each method.",
    ),
    "metric_by_ratio": Caption(
        "Scores by hole ratio",
        "Mean L1, PSNR and SSIM over steps of 10 % of hole ratio, for the first training of each "
        "method, with intervals over the images.",
    ),
    "curves": Caption(
        "Training curves",
        "Reconstruction losses of every network but the variants by step of its first training, "
        "relative to their first means.",
    ),
    "memory_use": Caption(
        "Use of the memory",
        "How often each slot is read in the test, how selective a read is (relative entropy 1: all "
        "slots equally), how long it is in comparison with its query, and the number of slots "
        "written over the training, by class; for the first training.",
    ),
    "memory_slots": Caption(
        "Slots of the memory",
        "The slots that each class reads most in the first training, shown by the nearest parts of "
        "training faces.",
    ),
    "parser_quality": Caption(
        "Quality of the face parser",
        "How well the parser finds each class on held-out images, complete and coarsely completed.",
    ),
    "index": Caption(
        "Report",
        "Verdict, tables, claims, figures, costs, assumptions, and the run behind each number.",
    ),
}


def caption(name: str, config: Config) -> Caption:
    """The caption of an output.

    Args:
        name: of its files, without suffix.
        config: for the tables and figures of variants.

    Raises:
        KeyError: the output has no caption; add one above.
    """
    if name in config.ablations:
        text = "Variants of {} under the protocol of Table 1, on the first data set."
        title = config.ablations[name].title
    elif name in config.figures:
        text = (
            "Masked input, the completions of variants of {} and the ground truth, with holes of "
            "the largest bin; the images were picked at random by seed, not by result."
        )
        title = config.figures[name].title
    else:
        return CAPTIONS[name]
    method = config.protocol.methods[str(config.protocol.ablation_base)].title
    return Caption(title, text.format(method))


def escape_rst(text: str) -> str:
    """Return reStructuredText that shows a text as it is, in one line and without markup.

    Snakemake's report renders its texts with directives that include files and run scripts.
    """
    return re.sub(r"([^\w\s]|_)", r"\\\1", " ".join(text.split()))
