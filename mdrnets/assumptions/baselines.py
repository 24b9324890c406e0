"""The assumption ledger of the baselines: where they differ from their authors' versions.

Their papers and code leave much less open than those of MDRNets. All entries are our own choices.
"""

from mdrnets.assumptions.collect import Assumption, collect_constants, collect_options
from mdrnets.methods import deepfillv2, pconv
from mdrnets.methods.ctsdg import method as ctsdg
from mdrnets.methods.ctsdg import structure
from mdrnets.methods.dsi import method as dsi
from mdrnets.methods.ict import method as ict
from mdrnets.methods.ict import palette
from mdrnets.methods.pic import method as pic
from mdrnets.methods.pic import networks
from mdrnets.networks import vector_quantiser

PIC = "methods/pic/method.py"
CTSDG = "methods/ctsdg/method.py"
STRUCTURE = "methods/ctsdg/structure.py"
DSI = "methods/dsi/method.py"
TEXTURE = "methods/dsi/texture.py"
QUANTISER = "networks/vector_quantiser.py"
ICT = "methods/ict/method.py"
PALETTE = "methods/ict/palette.py"
TRANSFORMER = "methods/ict/transformer.py"

BASELINE_OPTIONS = (
    *collect_options("pconv", pconv.Options),
    *collect_options("deepfillv2", deepfillv2.Options),
    *collect_options("pic", pic.Options),
    *collect_options("ctsdg", ctsdg.Options),
    *collect_options("dsi", dsi.Options),
    *collect_options("ict", ict.Options),
)

BASELINE_CONSTANTS = tuple(collect_constants(networks, structure, vector_quantiser, palette, ict))

# The name is a few words; the value is a sentence.
BASELINE_DECISIONS = (
    Assumption(
        "training data of baselines",
        "images, flips and holes are the same for all methods",
        "chosen",
        "Table 1 compares methods, not crops, rotations and masks",
        "training/sampling.py",
    ),
    Assumption(
        "one sample of pluralistic methods",
        "the first under the seed",
        "chosen",
        "PIC's authors score the best of 50, chosen by the ground truth",
        "evaluation/completion.py",
    ),
    Assumption(
        "padding of strided convolutions",
        "symmetric in DeepFillv2 and DSI; their framework pads below and to the right",
        "chosen",
        "the same in all methods; only official weights depend on it",
        TEXTURE,
    ),
    Assumption(
        "PIC: spectral normalisation",
        "no power iteration in eval mode, axis 1 of transposed convolutions",
        "chosen",
        "PyTorch's version; the authors' version changes the weights at every test image",
        "methods/pic/blocks.py",
    ),
    Assumption(
        "PIC: first KL term",
        "KL(target ‖ posterior), as in the authors' code",
        "chosen",
        "the article has it the other way round",
        PIC,
    ),
    Assumption(
        "CTSDG: grey values and edges",
        "from the original image; for completion, only edges that do not depend on the hole",
        "chosen",
        "in the authors' 8-bit conversion negative values wrap around",
        STRUCTURE,
    ),
    Assumption(
        "CTSDG: fine-tuning",
        "BatchNorm's statistics are frozen, as the article says",
        "chosen",
        "the authors' code is meant to freeze them, but does not",
        CTSDG,
    ),
    Assumption(
        "DSI: codebooks",
        "initialised with features of the first batch; unused codes keep their vectors",
        "chosen",
        "in the authors' code all unused codes become zero",
        QUANTISER,
    ),
    Assumption(
        "DSI: likelihood",
        "the mean over codes and images, in full precision",
        "chosen",
        "the authors use the sum; users of their code report NaN",
        DSI,
    ),
    Assumption(
        "DSI: discriminator",
        "updated on the generator's batch",
        "chosen",
        "the authors use another batch, with the same effect",
        DSI,
    ),
    Assumption(
        "DSI: rate of the structure generator",
        "the authors' curve of a million steps, scaled to the number of steps",
        "chosen",
        "a short training would end during the rise",
        DSI,
    ),
    Assumption(
        "DSI: averaged weights",
        "the decay rises to its final value with the number of updates",
        "chosen",
        "otherwise the average stays close to the initial weights in a short training",
        "networks/averaging.py",
    ),
    Assumption(
        "ICT: palette",
        "clustered from the training images",
        "chosen",
        "the authors use ImageNet's and recommend this for other domains",
        PALETTE,
    ),
    Assumption(
        "ICT: cells",
        "means of visible pixels; a cell with a missing pixel is masked",
        "chosen",
        "with nearest neighbour, hidden pixels would leak into known cells",
        PALETTE,
    ),
    Assumption(
        "ICT: loss of the transformer",
        "divided by the number of masked cells",
        "chosen",
        "an option of the authors' code; independent of the hole size",
        TRANSFORMER,
    ),
)

BASELINE_LEDGER: tuple[Assumption, ...] = BASELINE_OPTIONS + BASELINE_CONSTANTS + BASELINE_DECISIONS
