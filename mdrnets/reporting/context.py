"""What must stand beside any table of scores: the data, the schedule, the code, the definitions."""

from mdrnets.config import FULL, Config, External
from mdrnets.reporting.cells import HERE, PAPER, bin_title
from mdrnets.reporting.table1 import Summaries
from mdrnets.tracking.provenance import GitState

FEATURES = {
    "inception-v3": "FID: Fréchet distance of Inception-v3 pool3 features (2,048 dimensions), with "
    "the weights and the pre-processing of pytorch-fid, between the composites of a bin and the "
    "ground truth of the same images.",
    "effnet-lite0": "FD(effnet-lite0): Fréchet distance as in FID, but of the pooled features of "
    "EfficientNet-Lite0 (1,280 dimensions, ImageNet weights, input resized to 224×224). It is not "
    "FID: compare it within its column here, never with the paper's FID.",
}
SSIM = {
    "gaussian11_rgb": "11×11 Gaussian window (σ = 1.5), each RGB channel",
    "uniform7_rgb": "7×7 uniform window, each RGB channel",
    "gaussian11_luma": "11×11 Gaussian window (σ = 1.5), luma",
}
UNPUBLISHED = (
    "The paper's numbers for this table are not available to us: only the ones made here are shown."
)
EXTENDED_NOTES = (
    "hole: over the pixels of the hole alone; composites share the others with the ground truth.",
    "raw: the output before compositing, over the whole image. The paper does not say whether it "
    "composited the outputs of all methods; the published L1 of some does not go to 0 with the "
    "hole ratio, which suggests that it did not.",
    "KID or KD: unbiased kernel distance of the features of the Fréchet distance, for any number "
    "of images; it may be negative.",
)


def describe_run(config: Config, summaries: Summaries, git: GitState) -> list[tuple[str, str]]:
    """Which data, schedule and code made the numbers: (what, text)."""
    protocol, profile = config.protocol, config.profile
    images = {dataset: summary.images for (dataset, _), summary in summaries.items()}
    data = [
        f"{dataset.title}, beside the paper's {dataset.stands_for}"
        + (f" ({images[name]} test images)" if name in images else "")
        for name, dataset in profile.datasets.items()
    ]
    parts = [_schedule(config, name) for name in config.trained if name in protocol.parts]
    methods = [_schedule(config, name) for name in config.trained if name in protocol.methods]
    if config.profile.variants:
        full = config.network(config.variant(FULL)).title
        methods.append(f"each variant of the ablations as {full}")
    commit = git.commit[:12] if git.commit else "not in a git checkout"
    return [
        ("Data", "; ".join(data)),
        ("Profile", f"{config.name}: {profile.description}"),
        ("Image size", f"{profile.image_size}×{profile.image_size} (the paper: 256×256)"),
        ("Trained", "; ".join(methods + parts)),
        ("Seed", str(protocol.seed)),
        ("Commit", commit + (", with uncommitted changes" if git.dirty else "")),
    ]


def _schedule(config: Config, name: str) -> str:
    """For example `PConv 200 steps of 8`."""
    options = config.options(name)
    title = config.network(name).title
    batch = f" of {options['batch_size']}" if "batch_size" in options else ""
    return f"{title} {options['steps']} steps{batch}"


def legend(confidence: float) -> str:
    """How to read a row."""
    return (
        f"{HERE}: mean ± half the width of its {100 * confidence:.0f} % interval over the images "
        f"of one training; {PAPER}: the published value."
    )


def notes(config: Config, summaries: Summaries) -> list[str]:
    """What a reader must know to judge the numbers."""
    warnings = {
        f"{of_bin.distances.frechet_name}: {of_bin.distances.warning}."
        for summary in summaries.values()
        for of_bin in summary.bins.values()
        if of_bin.distances.warning
    }
    return [
        f"All methods were trained anew {HERE}, with the steps above; the paper took its "
        "baselines from released models or code. Where data, image size or steps are not the "
        "paper's, compare the order of the methods, not the numbers.",
        FEATURES[config.profile.frechet],
        *sorted(warnings),
        f"SSIM: {SSIM[config.protocol.ssim]}; the paper does not say which variant it used.",
        *_infinite(config, summaries),
        *_not_trained(config),
    ]


def _not_trained(config: Config) -> list[str]:
    methods = {name: config.protocol.methods[name] for name in config.profile.methods}
    return [
        f"{method.title}: completed elsewhere; only composited and scored {HERE}."
        if isinstance(method, External)
        else f"{method.title}: nothing to train."
        for name, method in methods.items()
        if name not in config.trained
    ]


def _infinite(config: Config, summaries: Summaries) -> list[str]:
    """Counts of infinite PSNRs, which no mean contains."""
    return [
        f"{config.protocol.methods[method].title} on {config.profile.datasets[dataset].title}, "
        f"{bin_title(name)}: {estimate.infinite} of {estimate.infinite + estimate.n} images have "
        f"an infinite {metric.replace('_', ' ').replace('psnr', 'PSNR')}, left out of its mean."
        for (dataset, method), summary in summaries.items()
        for name, of_bin in summary.bins.items()
        for metric, estimate in of_bin.means.items()
        if estimate.infinite
    ]
