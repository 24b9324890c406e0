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

ATTENTION = "networks/contextual_attention.py"
DSI = "methods/dsi/method.py"
PALETTE = "methods/ict/palette.py"

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
        "Table 1 compares methods, not crops, rotations and masks",
        "training/sampling.py",
    ),
    Assumption(
        "one sample of pluralistic methods",
        "the first under the seed",
        "PIC's released test saves 50 by index and ranks none; scores of the best by the ground "
        "truth cannot be compared with those of methods that draw once",
        "evaluation/completion.py",
    ),
    Assumption(
        "padding of strided convolutions",
        "symmetric in DeepFillv2 and DSI; their framework pads below and to the right",
        "the same in all methods; only official weights depend on it",
        "methods/dsi/texture.py",
    ),
    Assumption(
        "PConv: range of L1",
        "images in [-1, 1], in the coarse network's loss too",
        "the article names no range for its weights. NVIDIA's loss class and naoto0804's code take "
        "ImageNet-normalised images: L1 is then 2.21 times as large beside the same VGG terms; "
        "MMEditing has [-1, 1]",
        "losses/pconv.py",
    ),
    Assumption(
        "PConv: second phase",
        "a new Adam; the affine pair of the encoder's BatchNorm is frozen with its statistics",
        "MMEditing's reading; naoto0804's code keeps the optimiser's state and trains the pair",
        "methods/pconv.py",
    ),
    Assumption(
        "PConv: biases",
        "only the last layer has one",
        "naoto0804's code; the article does not say",
        "networks/partial_unet.py",
    ),
    Assumption(
        "DeepFillv2: batches",
        "discriminator and generator are updated on one batch",
        "the authors draw another batch and another hole for each",
        "methods/deepfillv2.py",
    ),
    Assumption(
        "DeepFillv2: valid patches",
        "found for each image",
        "the authors' attention takes one hole for the whole batch",
        ATTENTION,
    ),
    Assumption(
        "DeepFillv2: matching grid",
        "every second position, from 0: index 2·i",
        "PyTorch's nearest neighbour; TensorFlow's aligns the corners, and official weights "
        "depend on it",
        ATTENTION,
    ),
    Assumption(
        "spectral normalisation",
        "no gradient through u and v",
        "PyTorch's version; in TensorFlow the gradient passes through the power iteration: 7 % "
        "apart until u has converged, then 6e-6",
        "networks/spectral_norm.py",
    ),
    Assumption(
        "PIC: discriminator",
        "without the block and the α that the authors' module contains but never uses",
        "they receive no gradient",
        "methods/pic/networks.py",
    ),
    Assumption(
        "PIC: spectral normalisation",
        "settled before the first step, no power iteration in eval mode, axis 1 of transposed "
        "convolutions",
        "PyTorch's version; the authors' version changes the weights at every test image and "
        "divides along axis 0. Two bypasses are 1.2 times weaker here; published weights would "
        "need axis 0",
        "methods/pic/blocks.py",
    ),
    Assumption(
        "PIC: first KL term",
        "KL(target ‖ posterior), as in the authors' code",
        "the article has it the other way round",
        "methods/pic/method.py",
    ),
    Assumption(
        "CTSDG: grey values and edges",
        "from the original image; the input has no edge within 2 pixels of the hole, in training "
        "as in completion",
        "in the authors' 8-bit conversion negative values wrap around: on real faces their edges "
        "agree with clean ones to an IoU of .18",
        "methods/ctsdg/structure.py",
    ),
    Assumption(
        "CTSDG: fine-tuning",
        "BatchNorm's statistics are frozen, as the article says",
        "the authors' code is meant to freeze them, but does not",
        "methods/ctsdg/method.py",
    ),
    Assumption(
        "DSI: codebooks",
        "initialised with features of the first batch; a code that was never used keeps its "
        "vector, and one that is no longer used shrinks to zero after the last re-seeding",
        "in the authors' code all unused codes become zero",
        "networks/vector_quantiser.py",
    ),
    Assumption(
        "DSI: likelihood",
        "the mean over codes and images, in full precision",
        "the authors use the sum; users of their code report NaN",
        DSI,
    ),
    Assumption(
        "DSI: discriminator",
        "updated on the generator's batch",
        "the authors use another batch, with the same effect",
        DSI,
    ),
    Assumption(
        "DSI: standardised distances",
        "1e-8 is added to the variance of the distances to the codes",
        "the authors divide by zero where all distances are equal",
        "methods/dsi/vqvae.py",
    ),
    Assumption(
        "DSI: ε of Adam",
        "added after the bias correction",
        "PyTorch's version; TensorFlow adds it before, so that its first steps are smaller where "
        "gradients are tiny",
        DSI,
    ),
    Assumption(
        "DSI: rate of the structure generator",
        "the authors' curve of a million steps, scaled to the number of steps",
        "a short training would end during the rise",
        DSI,
    ),
    Assumption(
        "DSI: averaged weights",
        "the decay rises to its final value with the number of updates",
        "otherwise the average stays close to the initial weights in a short training",
        "networks/averaging.py",
    ),
    Assumption(
        "ICT: palette",
        "clustered from the training images",
        "the authors use ImageNet's and recommend this for other domains",
        PALETTE,
    ),
    Assumption(
        "ICT: cells",
        "means of visible pixels; a cell with a missing pixel is masked",
        "with nearest neighbour, hidden pixels would leak into known cells",
        PALETTE,
    ),
    Assumption(
        "ICT: weights of the transformer",
        "the last",
        "the authors keep those of the best validation loss; no other method here selects weights",
        "methods/ict/method.py",
    ),
    Assumption(
        "ICT: loss of the transformer",
        "divided by the number of masked cells",
        "an option of the authors' code; independent of the hole size",
        "methods/ict/transformer.py",
    ),
    Assumption(
        "baselines' lengths at the paper's scale",
        "PConv 800,000 + 300,000 steps of 8; DeepFillv2 500,000; PIC 1,000,000; CTSDG 350,000 + "
        "150,000; DSI three times 1,000,000; ICT 106,250 + 322,000",
        "PConv: MMEditing's at 256². CTSDG: its authors' advice. DSI: official code. ICT: 100 "
        "epochs of FFHQ, then the released upsampler's. DeepFillv2 and PIC: the authors give days "
        "(5 and 6 on one GPU), not steps",
        "../profiles/paper.yaml",
    ),
)

BASELINE_LEDGER: tuple[Assumption, ...] = BASELINE_OPTIONS + BASELINE_CONSTANTS + BASELINE_DECISIONS
