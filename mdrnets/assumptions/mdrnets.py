"""The assumption ledger of MDRNets, the data and the metrics: what the paper leaves open.

MDRNets (https://arxiv.org/abs/2204.02824) has no official code. Options and constants are
collected from the marks of their values; other decisions are listed here. The report prints
all of them as "What the paper does not say".
"""

from mdrnets.assumptions.collect import Assumption, collect_constants, collect_options
from mdrnets.data import classes
from mdrnets.losses import perceptual
from mdrnets.methods.mdrnets import (
    coarse,
    initial_weights,
    method,
    parser,
    reconstruction,
    refinement,
    style_encoder,
)
from mdrnets.metrics import ssim
from mdrnets.networks import features, spade
from mdrnets.training import hole_augmentation, loop, sampling

PARSER = "methods/mdrnets/parser.py"
MEMORY = "methods/mdrnets/memory.py"
INCO = "methods/mdrnets/coordination.py"
METHOD = "methods/mdrnets/method.py"

OPTIONS = (
    *collect_options("parser", parser.Options),
    *collect_options("coarse", coarse.Options),
    *collect_options("recon", reconstruction.Options),
    *collect_options("mdrnets", method.Options),
)

CONSTANTS = tuple(
    collect_constants(
        *(classes, sampling, hole_augmentation, loop, features, reconstruction, style_encoder),
        *(initial_weights, refinement, spade, perceptual, ssim),
    )
)

# The name is `params.key`, with the key in `params.yaml`.
PROTOCOL = (
    Assumption(
        "params.ssim",
        "gaussian11_rgb",
        "Wang et al. 2004; not stated, and variants differ by hundredths",
        "metrics/ssim.py",
    ),
    Assumption(
        "params.components.parser.dataset",
        0,
        "FFHQ has no label maps",
        "methods/building.py",
    ),
    Assumption(
        "params.components.coarse.dataset",
        0,
        "the paper names only CelebA-HQ",
        "methods/building.py",
    ),
)

# The name is a few words; the value is a sentence.
DECISIONS = (
    Assumption(
        "coarse schedule",
        "PConv's network and loss in one phase; the encoder's BatchNorm is never frozen",
        "the paper mentions no second phase, only 100 epochs with the settings of MDRNets",
        "methods/mdrnets/coarse.py",
    ),
    Assumption(
        "coarse face that is passed on",
        "P, clamped to [-1, 1] and composited with I_m, for both parser and style encoder",
        "known pixels need not be predicted",
        METHOD,
    ),
    Assumption(
        "parser training",
        "from scratch on labelled training images; Adam instead of BiSeNet's SGD; cross-entropy "
        "over all pixels; one rate, no weight decay; logits upsampled without aligned corners",
        "the paper uses a pre-trained parser. The public one trains on the hardest pixels (OHEM), "
        "its heads at ten times the rate, with weight decay 5e-4 and aligned corners",
        PARSER,
    ),
    Assumption(
        "parser layers",
        "BiSeNet with ResNet's features of stride 8 instead of the spatial path",
        "the parser commonly used for CelebAMask-HQ",
        "networks/bisenet.py",
        "cited",
    ),
    Assumption(
        "published parser",
        "if a profile selects it: its 19 classes are merged by summing probabilities",
        "left and right are one class here; logsumexp of the logits is exact",
        "networks/published_bisenet.py",
    ),
    Assumption(
        "reconstruction layers",
        "k7, stride-2 k4 convolutions, residual blocks; mirrored, upsampled by duplication",
        "the first layer is not normalised, because that would remove the mean colour",
        "methods/mdrnets/reconstruction.py",
    ),
    Assumption(
        "style encoder layers",
        "downsampled by 4, upsampled by 2, tanh: features of half the image size",
        "SEAN",
        "methods/mdrnets/style_encoder.py",
        "cited",
    ),
    Assumption(
        "classes at feature size",
        "by nearest neighbour",
        "SEAN",
        "methods/mdrnets/pooling.py",
        "cited",
    ),
    Assumption(
        "hole at feature size",
        "by nearest neighbour, like the classes: V takes in cells of which up to three quarters "
        "are hole, whose style is partly the coarse face's",
        "not stated; where a cell counts as valid only without any missing pixel, small classes "
        "have no V",
        METHOD,
    ),
    Assumption(
        "absent classes",
        "no valid pixels: reads but does not write; no pixels at all: neither, its row is zero",
        "equations 1 to 5 do not cover them",
        MEMORY,
    ),
    Assumption(
        "slots chosen several times",
        "by several images, or by several classes of a shared block: values are averaged over all "
        "processes, then one step of equation 3",
        "MOSS; all processes keep the same memory",
        MEMORY,
        "cited",
    ),
    Assumption(
        "gradient into the memory",
        "none: equation 3 alone changes slots in a training step, before they are read",
        "otherwise two rules would update the same slots",
        MEMORY,
    ),
    Assumption(
        "several trainings",
        "each of a profile's `seeds` trains methods and variants again; parser, coarse and "
        "reconstruction networks are trained once",
        "the paper seems to have trained once; the spread is that of the compared methods",
        "config/load.py",
    ),
    Assumption(
        "classes entirely in the hole",
        "no pixel of the class is valid, by annotation if available, else by the parser's map",
        "the paper only shows examples",
        "evaluation/class_scores.py",
    ),
    Assumption(
        "masked correlation mining",
        "R = softmax(θ φᵀ / √d) over patches; θ, φ 1×1 convolutions, ψ the identity",
        "the paper states a dot product and shows three branches",
        "methods/mdrnets/mask_region.py",
    ),
    Assumption(
        "what is refined",
        "the encoder takes the coarse composite and the hole; `encoder_input: masked` gives it I_m",
        "DeepFillv2; the paper refines the coarse face; its sentence on the encoder is garbled. "
        "From I_m, the network has to draw the face again: on validation faces of CelebA-HQ at 64² "
        "(300 steps of 8, holes of 40-60 %, two seeds) L1 in the hole 13.33 and 13.39 % with I_m, "
        "12.33 and 12.18 % with the composite; Fréchet distance 68.8 and 73.5, 70.4 and 70.5",
        METHOD,
        "cited",
    ),
    Assumption(
        "residual output",
        "I_o = P + R, with R in (-1, 1); `residual: false` makes the network draw the whole face",
        "the paper's word, refine, allows both. Validation as above, 300 steps: L1 12.33 % without "
        "it, 11.60 % with it; Fréchet distance 70.4, 71.8. 200 steps, two seeds: L1 12.76 and "
        "12.71 %, 11.28 and 10.93 % (the coarse face: 10.95 %), a larger difference than between "
        "seeds; Fréchet distance 69.5 and 75.0, 84.0 and 101.3 (the coarse face: 101.9). So it "
        "first worsens the distance; the initial weights below undo most of this",
        METHOD,
    ),
    Assumption(
        "refinement layers",
        "gated encoder (k7, stride-2 k4) without norm, four gated residual blocks of two k3 layers "
        "at H/8, four SPADE blocks with nearest-neighbour guidance, upsampled by duplication",
        "the paper names only the kinds of layers. DeepFillv2's gated layers have no norm, and "
        "SPADE's authors resize by nearest neighbour; instance norm and bilinear guidance made no "
        "difference on validation faces (with slots as in MOSS: L1 11.28 and 11.27 %, Fréchet "
        "distance 84.0 and 84.8), nor did two halvings",
        "methods/mdrnets/refinement.py",
        "cited",
    ),
    Assumption(
        "SPADE's normalisation",
        "instance norm",
        "SPADE's authors use BatchNorm, synchronised over GPUs, which makes an image's completion "
        "in training depend on the others of its batch; no difference on validation faces",
        "networks/spade.py",
    ),
    Assumption(
        "initial weights of the new networks",
        "decoder, style encoder, θ and φ: Xavier, normal, gain .02; gated layers: Xavier, uniform; "
        "biases zero; layers with spectral normalisation: PyTorch's",
        "code of SPADE and SEAN, and of DeepFillv2; the paper does not say. There, layers with "
        "spectral normalisation have the gain .02 as well, which leaves the first output as it is "
        "but makes Adam's steps relatively larger; and γ and β are two convolutions, here one, "
        "whose weights Xavier makes up to a quarter smaller. A residual output "
        "begins at the coarse face. Validation, 200 steps, with a residual output: L1 11.28 % with "
        "PyTorch's weights, 11.25 % with these; Fréchet distance 84.0, 72.0",
        "methods/mdrnets/initial_weights.py",
        "cited",
    ),
    Assumption(
        "how slots begin",
        "every number from N(0, 1); `init: unit` begins with unit vectors, `init: from_data` fills "
        "the slots with style vectors after a warm-up",
        "MOSS; no difference on validation faces. (MOSS's code also shrinks, by α, the slots that "
        "no image chose; equation 3 does not.) At the paper's size a read of unit vectors is 17 "
        "to 25 times shorter than its query, since α = .999 hardly moves them; of N(0, 1) it has "
        ".3 to .4 of the length, but points elsewhere (cosine .1); of slots filled from data .7 to "
        ".96, which falls to .33 while the style vectors grow",
        MEMORY,
        "cited",
    ),
    Assumption(
        "designs of the memory",
        "the rows of `ablations.memory_table`: m = 1, 16, 256; one block for all classes, of m or "
        "of 14·m slots; no memory, where Q̂ = Q; blocks also without MREM",
        "the paper's comparison is in its supplement, which is not public",
        "methods/mdrnets/method.py",
    ),
    Assumption(
        "InCo² pooling",
        "by area: average-pooled one-hot classes times hole",
        "with nearest neighbour, small classes vanish at the middle layer",
        INCO,
    ),
    Assumption(
        "InCo² distance",
        "mean absolute difference of cosines: rows have unit length; the mean is over all pairs of "
        "the 14 classes, and absent ones, whose rows are zero, shrink it",
        "bounded for any width of the middle layer; the paper's ‖·‖₁ is a sum",
        INCO,
    ),
    Assumption(
        "classes in the losses",
        "the frozen parser's classes of I_g, for both images",
        "FFHQ has no label maps",
        METHOD,
    ),
    Assumption(
        "what each loss looks at",
        "adversarial and total variation: the composite; all others: the raw output, which is "
        "clamped to [-1, 1] in completions only",
        "not stated",
        "methods/mdrnets/losses.py",
    ),
    Assumption(
        "perceptual distance",
        "the mean absolute difference of each layer's features, summed over the layers",
        "the paper cites Johnson et al., who take squares, and states no formula; PConv and its "
        "own other terms take absolute differences",
        "losses/perceptual.py",
    ),
    Assumption(
        "total variation region",
        "the hole dilated by one pixel",
        "PConv, equation 6",
        "losses/total_variation.py",
        "cited",
    ),
    Assumption(
        "discriminator",
        "70×70 PatchGAN of the composite alone, with spectral normalisation, a bias in its first "
        "and last convolution; same optimiser as the generator",
        "layers and biases are pix2pix's, which is cited; that has batch normalisation, and shows "
        "its discriminator the input too",
        METHOD,
    ),
    Assumption(
        "precision at the paper's scale",
        "bf16-mixed on GPUs; weights, losses' sums, memory and Fréchet features in float32",
        "not stated; profiles for CPUs train in float32",
        "runtime/numerics.py",
    ),
    Assumption(
        "parser's length at the paper's scale",
        "80,000 steps of 16",
        "the public face parser's",
        PARSER,
        "cited",
    ),
    Assumption(
        "batch of 8",
        "summed over all processes",
        "the number of GPUs is garbled in the paper; two is consistent",
        METHOD,
    ),
    Assumption(
        "data of the reconstruction network",
        "each data set has its own network",
        "not stated; it needs no label maps",
        "methods/building.py",
    ),
    Assumption(
        "validation images",
        "100 of the training images at the paper's scale, which no network sees in training",
        "the paper names only training and test images; claims on the refinement and all choices "
        "need others",
        "data/splits.py",
    ),
    Assumption(
        "hole of each test image",
        "drawn with a seed, without replacement inside each bin",
        "not stated",
        "data/assignment.py",
    ),
    Assumption(
        "training and test holes",
        "disjoint parts of each 10 % step if only the test masks are available",
        "the authors' training masks are a separate set",
        "data/splits.py",
    ),
    Assumption(
        "threshold of training holes",
        "0.6 of white, if a profile uses the authors' training masks, which are grey",
        "web page of the mask data set",
        "data/training_holes.py",
        "cited",
    ),
    Assumption(
        "overlapping parts of a face",
        "painted in the order of CelebAMask-HQ's class ids; later ones cover earlier ones",
        "the data set's own script",
        "data/label_parts.py",
        "cited",
    ),
    Assumption(
        "resizing",
        "images by Lanczos; label maps and holes by nearest neighbour",
        "not stated, and it affects the Fréchet distance",
        "data/packing.py",
    ),
    Assumption(
        "what is scored",
        "the composite, rounded to 8 bits, over the whole image",
        "published rows of CTSDG, PConv and ICT look as if they were not composited",
        "evaluation/completion.py",
    ),
    Assumption(
        "FID",
        "pytorch-fid's Inception-v3 features; with other features, the column is named after them",
        "not stated",
        "metrics/names.py",
    ),
    Assumption(
        "L1 and PSNR",
        "per image, then the mean; infinite PSNR is counted separately",
        "not stated",
        "metrics/pixel.py",
    ),
)

LEDGER: tuple[Assumption, ...] = OPTIONS + PROTOCOL + CONSTANTS + DECISIONS
