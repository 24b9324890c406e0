"""What each output of the report shows, said once for all who print it.

The page and Snakemake's report take titles and captions from here; what shows variants has its
title from params.yaml. Import-light: plain data.
"""

from typing import NamedTuple

from mdrnets.config.load import Config


class Caption(NamedTuple):
    """What stands above and below a table or a figure.

    Attributes:
        title: a few words, without a full stop.
        text: one sentence, without markup.
    """

    title: str
    text: str


# By the outputs' names without suffix.
CAPTIONS = {
    "table1": Caption(
        "Table 1",
        "L1, Fréchet distance, PSNR and SSIM of every method by hole ratio, each with its "
        "interval, beside the published values.",
    ),
    "table1_extended": Caption(
        "Table 1, extended",
        "What the paper does not print: scores over the hole alone, of the outputs before "
        "compositing, and the kernel distance.",
    ),
    "claims": Caption(
        "Claims",
        "Each claim of the paper about MDRNets with its test: it holds, does not hold, or cannot "
        "be tested here.",
    ),
    "figure1": Caption(
        "Figure 1",
        "Test images with holes of the largest bin, above their completions; the images are drawn "
        "by seed.",
    ),
    "figure5": Caption(
        "Figure 5",
        "Masked input, the completions of all methods and the ground truth, by data set and hole "
        "ratio; the images are drawn by seed.",
    ),
    "error_map": Caption(
        "Where errors sit",
        "Mean absolute error of each pixel over the test images whose hole contains it, by method.",
    ),
    "metric_by_ratio": Caption(
        "Scores by hole ratio",
        "Mean L1, PSNR and SSIM over steps of 10 % of hole ratio, by method, with intervals over "
        "the images.",
    ),
    "curves": Caption(
        "Training curves",
        "Reconstruction losses of every network by training step, relative to their first means.",
    ),
    "memory_use": Caption(
        "Use of the memory",
        "How often each slot is read in the test, how much a read selects among them (relative "
        "entropy 1: nothing), and how many were written over the training, by class.",
    ),
    "memory_slots": Caption(
        "Slots of the memory",
        "For the slots that a class reads most, the parts of training faces that are nearest to "
        "them.",
    ),
    "parser_quality": Caption(
        "Quality of the face parser",
        "How well the parser finds each class on held-out images, complete and coarsely completed.",
    ),
    "index": Caption(
        "Report",
        "Verdict, tables, claims, figures, costs, assumptions, and the run behind every number.",
    ),
}


def caption(name: str, config: Config) -> Caption:
    """The caption of an output.

    Args:
        name: of its files, without suffix.
        config: names the ablations and their figures.

    Raises:
        KeyError: it has none; add it above.
    """
    if name in config.ablations:
        text = "Variants of {} under the protocol of Table 1, on the first data set."
        title = config.ablations[name].title
    elif name in config.figures:
        text = (
            "Masked input, the completions of variants of {} and the ground truth, with holes of "
            "the largest bin; the images are drawn by seed."
        )
        title = config.figures[name].title
    else:
        return CAPTIONS[name]
    method = config.protocol.methods[str(config.protocol.ablation_base)].title
    return Caption(title, text.format(method))
