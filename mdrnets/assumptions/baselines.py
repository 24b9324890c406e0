"""The assumption ledger of the baselines: where their rows of Table 1 are not their authors' own.

Their papers and code say far more than that of MDRNets; what stands here is ours. A test holds it
against the code. Import-light: plain data.
"""

from mdrnets.assumptions.mdrnets import Assumption

PCONV = "methods/pconv.py"
PIC = "methods/pic/method.py"
PIC_NETWORKS = "methods/pic/networks.py"
CTSDG = "methods/ctsdg/method.py"
STRUCTURE = "methods/ctsdg/structure.py"
DSI = "methods/dsi/method.py"
PIXELCNN = "methods/dsi/structure.py"
TEXTURE = "methods/dsi/texture.py"
QUANTISER = "networks/vector_quantiser.py"
ICT = "methods/ict/method.py"
PALETTE = "methods/ict/palette.py"
TRANSFORMER = "methods/ict/transformer.py"

# Named `network.option`, as in a profile.
BASELINE_OPTIONS = (
    Assumption("pconv.levels", 7, "chosen", "a bottleneck of 2×2, as 8 levels at 512²", PCONV),
    Assumption("pconv.finetune_fraction", 0.3, "chosen", "as in CTSDG", PCONV),
    Assumption("pic.best_of", 1, "chosen", "one sample a method; the authors rank 50", PIC),
    Assumption("dsi.reseed_every", 1000, "chosen", "rare codes begin anew", DSI),
    Assumption("dsi.clip", 1.0, "chosen", "the authors' users met NaN", DSI),
    Assumption("ict.prior_share", 0.5, "chosen", "the authors count epochs, then steps", ICT),
)

# Named `file.CONSTANT`, after the file `where`.
BASELINE_CONSTANTS = (
    Assumption("networks.DEVIATION_FLOOR", 1e-4, "chosen", "logarithms stay finite", PIC_NETWORKS),
    Assumption("structure.RIM", 2, "chosen", "no edge of the filling round a hole", STRUCTURE),
    Assumption("vector_quantiser.RARE", 0.01, "chosen", "of the mean use of a code", QUANTISER),
    Assumption(
        "vector_quantiser.RESEED_STEPS", 50_000, "chosen", "the codes settle then", QUANTISER
    ),
    Assumption("palette.PIXELS", 1_000_000, "chosen", "enough for 512 colours", PALETTE),
    Assumption("palette.ITERATIONS", 50, "chosen", "at most, of k-means", PALETTE),
    Assumption("method.HOLE_FLOOR", 1e-3, "chosen", "the divisor of L1 stays above it", ICT),
)

# Named in a few words; the value is a sentence.
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
        "completion.py",
    ),
    Assumption(
        "padding of strided convolutions",
        "symmetric in DeepFillv2 and DSI; their framework pads below and to the right",
        "chosen",
        "the same in all methods; it matters to official weights alone",
        TEXTURE,
    ),
    Assumption(
        "PIC: spectral normalisation",
        "no power iteration in eval mode, axis 1 of transposed convolutions",
        "chosen",
        "PyTorch's own; the authors' changes the weights at every test image",
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
        "from the clean image; at completion none that the hole could change",
        "chosen",
        "the authors' 8-bit conversion wraps negative values round",
        STRUCTURE,
    ),
    Assumption(
        "CTSDG: fine-tuning",
        "BatchNorm's statistics are held, as the article says",
        "chosen",
        "the authors' code means to, but never does",
        CTSDG,
    ),
    Assumption(
        "DSI: codebooks",
        "begin as features of the first batch; a code without use keeps its vector",
        "chosen",
        "in the authors' code all unused codes become zero",
        QUANTISER,
    ),
    Assumption(
        "DSI: likelihood",
        "the mean over codes and images, in full precision",
        "chosen",
        "the authors sum; their users met NaN",
        DSI,
    ),
    Assumption(
        "DSI: discriminator",
        "updated on the generator's batch",
        "chosen",
        "the authors draw another one, to the same end",
        DSI,
    ),
    Assumption(
        "DSI: rate of the structure generator",
        "the authors' curve of a million steps, scaled to the steps there are",
        "chosen",
        "a short training would end during the rise",
        DSI,
    ),
    Assumption(
        "DSI: averaged weights",
        "the decay rises to its final value with the number of updates",
        "chosen",
        "else a short training's average is its initial weights",
        "networks/averaging.py",
    ),
    Assumption(
        "ICT: palette",
        "clustered from the training images",
        "chosen",
        "the authors take ImageNet's and advise this for other domains",
        PALETTE,
    ),
    Assumption(
        "ICT: cells",
        "means of visible pixels; a cell with a missing pixel is masked",
        "chosen",
        "by nearest neighbour the truth leaks into known cells",
        PALETTE,
    ),
    Assumption(
        "ICT: loss of the transformer",
        "divided by the number of masked cells",
        "chosen",
        "a switch of the authors' code; independent of the hole's size",
        TRANSFORMER,
    ),
)

BASELINE_LEDGER: tuple[Assumption, ...] = BASELINE_OPTIONS + BASELINE_CONSTANTS + BASELINE_DECISIONS
