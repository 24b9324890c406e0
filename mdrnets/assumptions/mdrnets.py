"""The assumption ledger: what the paper leaves open, and what stands in the code instead.

MDRNets (https://arxiv.org/abs/2204.02824) has no official code. The report prints this table as
"What the paper does not say"; a test holds it against the code. Import-light: plain data. The
baselines, whose papers and code are others', are in `assumptions_baselines`.
"""

from dataclasses import dataclass
from typing import Literal

Value = (
    str
    | int
    | float
    | bool
    | tuple[int, ...]
    | tuple[float, ...]
    | tuple[str, ...]
    | dict[int, float]
)


@dataclass(frozen=True)
class Assumption:
    """One thing that the paper does not state.

    Attributes:
        name: unique. What it looks like depends on the table: see there.
        value: the default at the paper's full size; a profile may set an option otherwise.
        mark: `cited`, taken from the work that the paper cites at that point, or a precedent;
            `chosen`, ours.
        why: the reason, or the source.
        where: the file under `mdrnets/` in which it enters.
    """

    name: str
    value: Value
    mark: Literal["chosen", "cited"]
    why: str
    where: str


PARSER = "methods/mdrnets/parser.py"
COARSE = "methods/mdrnets/coarse.py"
RECON = "methods/mdrnets/reconstruction.py"
STYLE = "methods/mdrnets/style_encoder.py"
MEMORY = "methods/mdrnets/memory.py"
MREM = "methods/mdrnets/mask_region.py"
REFINEMENT = "methods/mdrnets/refinement.py"
INCO = "methods/mdrnets/incoordination.py"
LOSSES = "methods/mdrnets/losses.py"
METHOD = "methods/mdrnets/method.py"
AUGMENTATION = "training/hole_augmentation.py"

# Named `network.option`, as in a profile.
OPTIONS = (
    Assumption("parser.batch_size", 16, "cited", "BiSeNet; the paper takes a trained one", PARSER),
    Assumption(
        "parser.published", False, "chosen", "published weights have seen test images", PARSER
    ),
    Assumption("parser.steps", 0, "chosen", "of published weights; else the profile's", PARSER),
    Assumption("parser.width", 64, "cited", "BiSeNet on ResNet-18", PARSER),
    Assumption("parser.input_scale", 1, "chosen", "small images lose eyes at stride 8", PARSER),
    Assumption("parser.class_balance", 0.5, "chosen", "rare classes, such as eyes", PARSER),
    Assumption("parser.auxiliary_weight", 1.0, "cited", "BiSeNet, equation 2", PARSER),
    Assumption("parser.lr", 1e-3, "chosen", "Adam, for short trainings", PARSER),
    Assumption("parser.lr_power", 0.9, "cited", "BiSeNet's decay of the rate", PARSER),
    Assumption("coarse.levels", 7, "cited", "PConv, for 256²", COARSE),
    Assumption("coarse.width", 64, "cited", "PConv", COARSE),
    Assumption("coarse.max_width", 512, "cited", "PConv", COARSE),
    Assumption("coarse.weights.valid", 1.0, "cited", "PConv, equation 7", COARSE),
    Assumption("coarse.weights.hole", 6.0, "cited", "PConv, equation 7", COARSE),
    Assumption("coarse.weights.perceptual", 0.05, "cited", "PConv, equation 7", COARSE),
    Assumption("coarse.weights.style", 120.0, "cited", "PConv, equation 7", COARSE),
    Assumption("coarse.weights.total_variation", 0.1, "cited", "PConv, equation 7", COARSE),
    Assumption("recon.width", 64, "chosen", "no layer is given", RECON),
    Assumption("recon.downsamplings", 3, "chosen", "the middle layer is at H/8", RECON),
    Assumption("recon.blocks", 2, "chosen", "residual blocks each side of the middle", RECON),
    Assumption("recon.l1_weight", 1.0, "chosen", "the unit of the other weight", RECON),
    Assumption("recon.perceptual_weight", 0.05, "chosen", "as in MDRNets", RECON),
    Assumption("mdrnets.style_channels", 256, "chosen", "c; SEAN has 512", STYLE),
    Assumption("mdrnets.style_width", 32, "cited", "SEAN's style encoder", STYLE),
    Assumption("mdrnets.width", 64, "chosen", "no width is given", REFINEMENT),
    Assumption("mdrnets.dilations", (1, 2, 4, 8), "chosen", "of the gated blocks", REFINEMENT),
    Assumption("mdrnets.spade_hidden", 128, "cited", "SPADE", REFINEMENT),
    Assumption("mdrnets.discriminator_base", 64, "cited", "pix2pix", METHOD),
    Assumption("mdrnets.slots", 64, "chosen", "m; the supplement is not public", MEMORY),
    Assumption("mdrnets.alpha", 0.999, "cited", "MOSS; α of equation 3", MEMORY),
    Assumption("mdrnets.temperature", 1.0, "chosen", "equation 4 shows none", MEMORY),
    Assumption(
        "mdrnets.init", "gaussian", "chosen", "unit length; `from_data` where slots starve", MEMORY
    ),
    Assumption("mdrnets.patch_size", 4, "chosen", "p: 1,024 patches at 256²", MREM),
    Assumption(
        "mdrnets.adversarial", "hinge", "chosen", "pix2pix, which is cited, has bce", LOSSES
    ),
    Assumption("mdrnets.style", "statistics", "cited", "AdaIN; `gram` is an option", LOSSES),
    Assumption(
        "mdrnets.taps",
        ("relu1_2", "relu2_2", "relu3_3", "relu4_3"),
        "chosen",
        "of VGG-16, as in Johnson et al. 2016",
        LOSSES,
    ),
    Assumption("mdrnets.weights.hole", 6.0, "chosen", "no weight is given; PConv's", LOSSES),
    Assumption("mdrnets.weights.valid", 1.0, "chosen", "no weight is given; PConv's", LOSSES),
    Assumption("mdrnets.weights.perceptual", 0.05, "chosen", "no weight is given; PConv's", LOSSES),
    Assumption("mdrnets.weights.style", 10.0, "chosen", "no weight is given", LOSSES),
    Assumption("mdrnets.weights.adversarial", 0.1, "chosen", "no weight is given", LOSSES),
    Assumption(
        "mdrnets.weights.total_variation", 0.1, "chosen", "no weight is given; PConv's", LOSSES
    ),
    Assumption("mdrnets.weights.semantic", 0.1, "chosen", "no weight is given", LOSSES),
    Assumption("mdrnets.weights.incoordination", 1.0, "chosen", "no weight is given", LOSSES),
)

# Named `params.key`, after the keys of `params.yaml`.
PROTOCOL = (
    Assumption(
        "params.ssim",
        "gaussian11_rgb",
        "chosen",
        "Wang et al. 2004; not stated, and variants differ by hundredths",
        "metrics/ssim.py",
    ),
    Assumption(
        "params.parts.parser.dataset", 0, "chosen", "FFHQ has no label maps", "training/building.py"
    ),
    Assumption(
        "params.parts.coarse.dataset",
        0,
        "chosen",
        "the paper names CelebA-HQ alone",
        "training/building.py",
    ),
)

# Named `file.CONSTANT`, after the file `where`.
CONSTANTS = (
    Assumption(
        "classes.CLASSES",
        (
            *("background", "skin", "brow", "eye", "glasses", "ear", "nose", "mouth"),
            *("upper lip", "lower lip", "neck", "cloth", "hair", "hat"),
        ),
        "chosen",
        "the paper says 14 and names two: CelebAMask-HQ's 19, left and right merged",
        "data/classes.py",
    ),
    Assumption("sampling.FLIP_PROBABILITY", 0.5, "chosen", "not stated", "training/sampling.py"),
    Assumption("hole_augmentation.DILATE_PROBABILITY", 0.5, "chosen", "no amount", AUGMENTATION),
    Assumption(
        "hole_augmentation.DILATE_SHARE", 1 / 32, "chosen", "8 pixels at 256²", AUGMENTATION
    ),
    Assumption("hole_augmentation.CROP_PROBABILITY", 0.5, "chosen", "no amount", AUGMENTATION),
    Assumption("hole_augmentation.CROP_SHARE", 0.5, "chosen", "no amount", AUGMENTATION),
    Assumption("hole_augmentation.RATIOS", (0.01, 0.6), "chosen", "those evaluated", AUGMENTATION),
    Assumption(
        "loop.START_IMAGES",
        4096,
        "chosen",
        "seen by what begins from data: MDRNets' memory, ICT's palette",
        "training/loop.py",
    ),
    Assumption(
        "features.EFFNET_RMS",
        {1: 3.0, 2: 11.0, 3: 10.0, 4: 7.5, 5: 2.5},
        "chosen",
        "measured on faces: brings a stand-in's maps to the order of VGG's",
        "networks/features.py",
    ),
    Assumption(
        "reconstruction.TAPS",
        ("relu1_2", "relu2_2", "relu3_3", "relu4_3"),
        "chosen",
        "of VGG-16, as in MDRNets",
        RECON,
    ),
    Assumption("style_encoder.SLOPE", 0.2, "cited", "SEAN", STYLE),
    Assumption("refinement.SLOPE", 0.2, "chosen", "as in its decoder's SPADE", REFINEMENT),
    Assumption("spade.SLOPE", 0.2, "cited", "SPADE", "networks/spade.py"),
    Assumption("method.REDUCTION", 8, "chosen", "three halvings before the bottleneck", METHOD),
    Assumption("perceptual.VARIANCE_FLOOR", 1e-5, "cited", "AdaIN's code", "losses/perceptual.py"),
    Assumption("ssim.C1", (0.01 * 255) ** 2, "cited", "Wang et al. 2004", "metrics/ssim.py"),
    Assumption("ssim.C2", (0.03 * 255) ** 2, "cited", "Wang et al. 2004", "metrics/ssim.py"),
)

# Named in a few words; the value is a sentence.
DECISIONS = (
    Assumption(
        "coarse schedule",
        "PConv's network and loss in one phase; the encoder's BatchNorm is never frozen",
        "chosen",
        "100 epochs with the settings of MDRNets name no second phase",
        COARSE,
    ),
    Assumption(
        "coarse face that goes on",
        "P, clamped to [-1, 1], composited with I_m, to parser and style encoder alike",
        "chosen",
        "what is known need not be guessed",
        METHOD,
    ),
    Assumption(
        "parser training",
        "from scratch on labelled training images; Adam where BiSeNet has SGD",
        "chosen",
        "the paper takes a trained parser",
        PARSER,
    ),
    Assumption(
        "parser layers",
        "BiSeNet without spatial path: ResNet's features of stride 8 take its place",
        "cited",
        "the parser for CelebAMask-HQ that is in common use",
        "networks/bisenet.py",
    ),
    Assumption(
        "published parser",
        "where a profile chooses it: its 19 classes merged by the sum of their probabilities",
        "chosen",
        "left and right are one class here; logsumexp of the logits is exact",
        "networks/published_bisenet.py",
    ),
    Assumption(
        "reconstruction layers",
        "k7, stride-2 k4 convolutions, residual blocks; mirrored, upsampled by duplication",
        "chosen",
        "the first layer is not normalised, which would lose the mean colour",
        RECON,
    ),
    Assumption(
        "style encoder layers",
        "down by four, up by two, tanh: features of half the image's size",
        "cited",
        "SEAN",
        STYLE,
    ),
    Assumption(
        "classes at feature size",
        "by nearest neighbour",
        "cited",
        "SEAN",
        "methods/mdrnets/pooling.py",
    ),
    Assumption(
        "absent classes",
        "no valid pixel: reads, does not write; no pixel at all: neither, and its row is zero",
        "chosen",
        "equations 1 to 5 do not cover them",
        MEMORY,
    ),
    Assumption(
        "slots chosen by several images",
        "their values are averaged, over all processes, then one step of equation 3",
        "cited",
        "MOSS; all processes keep the same memory",
        MEMORY,
    ),
    Assumption(
        "gradient into the memory",
        "none: slots change by equation 3 alone, in training, before they are read",
        "chosen",
        "an average that is also trained would have two masters",
        MEMORY,
    ),
    Assumption(
        "several trainings",
        "`seeds` of a profile trains methods and variants anew; parser, coarse and "
        "reconstruction networks once",
        "chosen",
        "the paper seems to have trained once; the spread is that of the methods compared",
        "config.py",
    ),
    Assumption(
        "classes entirely in the hole",
        "no pixel of the class is valid; its annotation where there is one, else the parser's map",
        "chosen",
        "the paper shows examples alone",
        "per_class.py",
    ),
    Assumption(
        "masked correlation mining",
        "R = softmax(θ φᵀ / √d) over patches; θ, φ 1×1 convolutions, ψ the identity",
        "chosen",
        "the paper says dot product, and draws three branches",
        MREM,
    ),
    Assumption(
        "refinement layers",
        "gated encoder to H/8, four gated residual blocks, four SPADE blocks; job norm",
        "chosen",
        "the paper names the kinds of layer alone",
        REFINEMENT,
    ),
    Assumption(
        "InCo² pooling",
        "by area: average-pooled one-hot classes times hole",
        "chosen",
        "nearest neighbour loses small classes at the middle layer",
        INCO,
    ),
    Assumption(
        "InCo² distance",
        "mean absolute difference of cosines: rows have unit length",
        "chosen",
        "bounded, whatever the width of the middle layer",
        INCO,
    ),
    Assumption(
        "classes in the losses",
        "those that the frozen parser finds in I_g, for both images",
        "chosen",
        "FFHQ has no label maps",
        METHOD,
    ),
    Assumption(
        "what each loss looks at",
        "adversarial and total variation: the composite; all others: the raw output",
        "chosen",
        "not stated",
        LOSSES,
    ),
    Assumption(
        "total variation region",
        "the hole dilated by one pixel",
        "cited",
        "PConv, equation 6",
        "losses/total_variation.py",
    ),
    Assumption(
        "discriminator",
        "70×70 PatchGAN with spectral normalisation, under the generator's optimiser",
        "chosen",
        "pix2pix, which is cited, has batch normalisation",
        METHOD,
    ),
    Assumption(
        "batch of 8",
        "of all processes together",
        "chosen",
        "the paper's count of GPUs is garbled; two fit",
        METHOD,
    ),
    Assumption(
        "data of the reconstruction network",
        "each data set has a network of its own",
        "chosen",
        "not stated; it needs no label maps",
        "training/building.py",
    ),
    Assumption(
        "hole of each test image",
        "drawn by seed, without replacement inside each bin",
        "chosen",
        "not stated",
        "data/assignment.py",
    ),
    Assumption(
        "training and test holes",
        "disjoint parts of each 10 % step where only the test masks are at hand",
        "chosen",
        "the authors' training masks are a set of their own",
        "data/splits.py",
    ),
    Assumption(
        "threshold of training holes",
        "0.6 of white, in a profile that has the authors' training masks, which are grey",
        "cited",
        "the page of the mask data set",
        "data/training_holes.py",
    ),
    Assumption(
        "overlapping parts of a face",
        "painted in the order of CelebAMask-HQ's class ids; later ones cover earlier ones",
        "cited",
        "the data set's own script",
        "data/label_parts.py",
    ),
    Assumption(
        "resizing",
        "images by Lanczos; label maps and holes by nearest neighbour",
        "chosen",
        "not stated, and it moves the Fréchet distance",
        "data/packing.py",
    ),
    Assumption(
        "what is scored",
        "the composite, rounded to 8 bits, over the whole image",
        "chosen",
        "published rows of CTSDG, PConv and ICT look as if they were not composited",
        "completion.py",
    ),
    Assumption(
        "FID",
        "pytorch-fid's Inception-v3 features; other features give the column their name",
        "chosen",
        "not stated",
        "metrics/names.py",
    ),
    Assumption(
        "L1 and PSNR",
        "per image, then the mean; infinite PSNR is counted apart",
        "chosen",
        "not stated",
        "metrics/pixel.py",
    ),
)

LEDGER: tuple[Assumption, ...] = OPTIONS + PROTOCOL + CONSTANTS + DECISIONS
