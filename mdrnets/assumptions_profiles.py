"""Why the small profiles leave the published values: what was tried, on validation images alone.

Keys are those of the ledgers, `network.option`. The report prints the text beside the profile's
value. Rendered: the demo profile's images; real: `real64`, CelebA-HQ, 300 steps of 8, holes of
40 to 60 %. L1 is that in the hole; FD is that of EfficientNet-Lite0's features.
"""

TRIED = {
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
    "ict.top_k": "see ict.colours",
    "ict.grid": "the palette's cells: 8×8 can be learned in hundreds of steps, 48×48 cannot",
}
