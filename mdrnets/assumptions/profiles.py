"""Why the small profiles leave the published values: what was tried, on validation images alone.

Keys are those of the ledgers, `network.option`. The report prints the text beside the profile's
value. Rendered: the demo profile's images; real: `real64`, CelebA-HQ, 300 steps of 8, holes of
40 to 60 %. L1 is that in the hole; FD is that of EfficientNet-Lite0's features.
"""

TUNING_NOTES = {
    "parser.input_scale": (
        "1, then 2 with half class balance, on held-out real faces: mIoU .23, .43; at 64² the "
        "features of stride 8 are too coarse for eyes"
    ),
    "coarse.weights.style": (
        "the published weight belongs to VGG's features; with EfficientNet's a tenth: L1 of PConv, "
        "which has the same loss, on rendered faces 11.6, 10.6 %"
    ),
    "pconv.weights.style": "see coarse.weights.style",
    "ctsdg.weights.style": "see coarse.weights.style",
    "ict.weights.style": "see coarse.weights.style",
    "mdrnets.weights.style": (
        "rendered, 10, then 0.5: L1 16.7, 11.6 %. Real, 0.5, then 0.1: L1 13.7, 13.4 %, FD 65, 71; "
        "with the L1 terms alone 12.8 %, FD 96. 0.5 is kept: it takes 62 % of the gradient's norm "
        "at the output, and buys more distance than it costs error"
    ),
    "ict.colours": (
        "rendered, transformer alone, mean error of the 8×8 cells drawn in the hole: 128 colours "
        "with top 40 and 250 steps of 32 images 16.1 %; 32 colours with 250 steps of 16: top 40 "
        "17.1, top 10 15.6, top 5 15.2 %; 128 colours with 180 steps of 16 18.6 %"
    ),
    "ict.blocks": (
        "rendered, 16 images a step, mean error of the picture that the transformer draws in the "
        "hole, data set B: 4 blocks, 250 steps at 1e-3 21.1 %; 2 blocks, 400 steps at 2e-3 18.0 %, "
        "in less time"
    ),
    "ict.prior_lr": "see ict.blocks; at 2e-3, real: 20.7 % becomes 20.4 %",
    "ict.lr": (
        "rendered, data set B, 110 steps of the upsampler, its training L1: 2e-3 .70, 1e-3 .55, "
        "3e-4 .38; with 2 blocks, 16 channels and twice the published deviation 5e-4 .37"
    ),
    "ict.init_gain": "see ict.lr: without normalisation, narrow layers shrink what they pass on",
    "dsi.structure_share": (
        "rendered, thirds, then .25, .35 and .40 of 330 steps: L1 25.7, 13.7 % on data set A, "
        "12.9, 13.9 % on B; in thirds the texture's 110 steps may end too bright"
    ),
    "dsi.vqvae_share": "see dsi.structure_share",
    "ict.top_k": "see ict.colours",
    "ict.grid": "the palette's cells: 8×8 can be learned in hundreds of steps, 48×48 cannot",
}
