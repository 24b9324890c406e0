"""Why small profiles deviate from published values: experiments on validation images only.

Keys are `network.option`, as in the ledgers. The report prints the text beside the profile's value.
"Rendered" means the demo profile's images; "real" means `real64` (CelebA-HQ) when it had 300
steps of 8, with holes of 40 to 60 %. L1 is measured in the hole; FD uses the features of
EfficientNet-Lite0.
"""

TUNING_NOTES = {
    "parser.input_scale": (
        "1, then 2 with half class balance, on held-out real faces: mIoU .23, .43; at 64² the "
        "features of stride 8 are too coarse for eyes"
    ),
    "coarse.weights.style": (
        "the published weight is for VGG's features; with EfficientNet's, one tenth of it changes "
        "the L1 of PConv, which has the same loss, on rendered faces from 11.6 to 10.6 %"
    ),
    "pconv.weights.style": "see coarse.weights.style",
    "ctsdg.weights.style": "see coarse.weights.style",
    "ict.weights.style": "see coarse.weights.style",
    "mdrnets.weights.style": (
        "with the encoder on the masked image: rendered, 10, then 0.5: L1 16.7, 11.6 %. Real, "
        "0.5, then 0.1: L1 13.7, 13.4 %, FD 65, 71; with the L1 terms alone 12.8 %, FD 96. On the "
        "coarse composite, L1 terms alone: L1 11.9 %, with a residual output 10.8 % (the coarse "
        "face: 11.6 %). The default network after 200 steps, 0.5, 0.1, 0: L1 11.0, 11.3, 10.9 %, "
        "FD 77, 95, 91 (the coarse face: 11.0 %, 102). 0.5 is used: it accounts for 61 % of the "
        "gradient's norm at the output after these steps, and improves FD more than it worsens L1"
    ),
    "ict.colours": (
        "rendered, transformer alone, mean error of the 8×8 cells sampled in the hole: 128 colours "
        "with top 40 and 250 steps of 32 images 16.1 %; 32 colours with 250 steps of 16: top 40 "
        "17.1, top 10 15.6, top 5 15.2 %; 128 colours with 180 steps of 16 18.6 %"
    ),
    "ict.blocks": (
        "rendered, 16 images per step, mean error of the image that the transformer samples in the "
        "hole, data set B: 4 blocks, 250 steps at 1e-3 21.1 %; 2 blocks, 400 steps at 2e-3 18.0 %, "
        "in less time: used in demo"
    ),
    "ict.prior_lr": "see ict.blocks; at 2e-3, real: 20.7 % becomes 20.4 %: used in demo",
    "ict.lr": (
        "rendered, data set B, 110 steps of the upsampler, its training L1: 2e-3 .70, 1e-3 .55, "
        "3e-4 .38; with 2 blocks, 16 channels and twice the published deviation 5e-4 .37: used in "
        "demo"
    ),
    "ict.init_gain": "see ict.lr: without normalisation, narrow layers attenuate their input",
    "dsi.structure_share": (
        "rendered, thirds, then .25, .35 and .40 of 330 steps: L1 25.7, 13.7 % on data set A, "
        "12.9, 13.9 % on B; with thirds, 110 steps for the texture can leave it too bright"
    ),
    "dsi.vqvae_share": "see dsi.structure_share",
    "ict.top_k": "see ict.colours",
    "ict.grid": "cells of the palette image: 8×8 can be learned in hundreds of steps, 48×48 cannot",
}

_WIDTH = "a fraction of the published width, for two CPU cores"
_DEPTH = "fewer layers, for smaller images and two CPU cores"
_RATE = "above the published rate, since the schedule is short"
_BATCH = "of 8 in profiles for CPUs, so that all networks of `real64` see the same number of images"

SETTING_NOTES = {
    "steps": (
        "chosen so that a run takes minutes (demo) or hours (real64, where every network, and each "
        "phase of DSI and ICT, sees 40,000 images); at the paper's scale see the decisions on "
        "lengths"
    ),
    "epochs": "the paper's",
    "batch_size": f"{_BATCH}; PConv at the paper's scale: as MMEditing at 256²",
    "prior_batch_size": f"{_BATCH}; 16 in demo, see ict.colours",
    "lr": _RATE,
    "finetune_lr": "a quarter of the first phase's rate, as published",
    "fine_tune_lr": "a quarter of the first phase's rate, as published",
    "edge_sigma": "1.0 at 64² for the published 2.0 at 256²: Canny's width in pixels",
    "chunk": (
        "2 cells are drawn from one forward pass: half the time, and an approximation, because "
        "they do not see each other"
    ),
    "ict.warm_up_share": "a tenth of a short schedule; one hundredth would be a few steps",
    "deepfillv2.init_gain": "2 compensates for gates that begin half open; see ict.init_gain",
    **dict.fromkeys(
        (
            *("width", "max_width", "base", "cap", "discriminator_base", "channels", "heads"),
            *("condition_base", "texture_width", "vqvae_width", "vqvae_hidden", "upsampler_base"),
            *("codes", "colours"),
        ),
        _WIDTH,
    ),
    **dict.fromkeys(
        (
            *("levels", "reductions", "infer_blocks", "blocks", "attentions", "upsampler_blocks"),
            *("dilations", "condition_rates", "texture_dilations", "discriminator_layers"),
        ),
        _DEPTH,
    ),
}
"""Why profiles set values that no ledger lists: those that a paper or official code states.

Keys are `option`, for all networks, or `network.option`.
"""


def find_note(network: str, option: str) -> str | None:
    """Why a profile changes an option of a network; None: nothing is written about it."""
    name = f"{network}.{option}"
    for notes, key in ((TUNING_NOTES, name), (SETTING_NOTES, name), (SETTING_NOTES, option)):
        if key in notes:
            return notes[key]
    return None
