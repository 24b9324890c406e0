"""The context of a table of scores: data, schedule, code, and the definitions of the metrics."""

from collections.abc import Mapping

from mdrnets.config.data import Dataset
from mdrnets.config.load import Config
from mdrnets.config.protocol import FULL, External
from mdrnets.metrics.names import kernel_name
from mdrnets.reporting.tables.cells import HERE, PAPER, format_bin
from mdrnets.reporting.tables.summaries import Summaries
from mdrnets.tracking.provenance import GitState

FEATURES = {
    "inception-v3": "FID: Fréchet distance of Inception-v3 pool3 features (2,048 dimensions), with "
    "the weights and the pre-processing of pytorch-fid, between the composites of a bin and the "
    "ground truth of the same images.",
    "effnet-lite0": "FD(effnet-lite0): Fréchet distance as in FID, but of the pooled features of "
    "EfficientNet-Lite0 (1,280 dimensions, ImageNet weights, input resized to 224×224). It is not "
    "FID: compare it only within its column, never with the paper's FID.",
}
SSIM = {
    "gaussian11_rgb": "11×11 Gaussian window (σ = 1.5), each RGB channel",
    "uniform7_rgb": "7×7 uniform window, each RGB channel",
    "gaussian11_luma": "11×11 Gaussian window (σ = 1.5), luma",
}
UNPUBLISHED = "The paper's numbers for this table are not available to us, so only ours are shown."
EXTENDED = (
    "hole: over the pixels of the hole only; the other pixels of a composite are the ground truth.",
    "raw: the output before compositing, over the whole image. The paper does not say whether it "
    "composited the outputs of all methods. The published L1 of some methods does not go to 0 with "
    "the hole ratio, which suggests that it did not.",
)
KERNEL = (
    "unbiased kernel distance of the features of the Fréchet distance, for any number of images; "
    "it may be negative."
)


def describe_run(
    config: Config,
    summaries: Summaries,
    git: GitState,
    *,
    datasets: Mapping[str, Dataset] | None = None,
) -> list[tuple[str, str]]:
    """The data, schedule and code behind the numbers, as (what, text).

    Args:
        config: protocol and profile.
        summaries: the scores; they know the numbers of test images.
        git: the code.
        datasets: behind the numbers; None: all of the profile.
    """
    protocol, profile = config.protocol, config.profile
    images = {dataset: summary.images for (dataset, _), summary in summaries.items()}
    parts = [_schedule(config, name) for name in config.trained if name in protocol.components]
    methods = [_schedule(config, name) for name in config.trained if name in protocol.methods]
    if config.profile.variants:
        full = config.network(config.variant(FULL)).title
        methods.append(f"each variant of the ablations as {full}")
    return [
        ("Data", describe_data(profile.datasets if datasets is None else datasets, images)),
        ("Profile", f"{config.name}: {profile.description}"),
        ("Image size", f"{profile.image_size}×{profile.image_size} (the paper: 256×256)"),
        ("Trained", "; ".join(methods + parts)),
        ("Seed", _seeds(config)),
        ("Rendered at commit", git.describe(12)),
    ]


def describe_data(datasets: Mapping[str, Dataset], images: Mapping[str, int]) -> str:
    """Data sets with their numbers of test images where known, beside those of the paper."""
    return "; ".join(
        dataset.title
        + (f" with {images[name]} test images" if name in images else "")
        + f", beside the paper's {dataset.published_as}"
        for name, dataset in datasets.items()
    )


def _seeds(config: Config) -> str:
    first, count = config.protocol.seed, config.profile.seeds
    if count == 1:
        return str(first)
    return (
        f"{first} to {first + count - 1}, one for each training of a method; the components that "
        f"they use were trained once, with {first}"
    )


def _schedule(config: Config, name: str) -> str:
    """For example `PConv 5,000 steps of 8 images`."""
    options = config.options(name)
    title = config.network(name).title
    if config.published(name):
        return f"{title} not trained here: published weights"
    batch = f" of {options['batch_size']} images" if "batch_size" in options else ""
    unit = "epochs" if "epochs" in options else "steps"
    return f"{title} {options[unit]:,} {unit}{batch}"


def describe_values(config: Config, *, published: bool) -> str:
    """How to read a value; `published`: whether the table has the paper's values as well."""
    seeds, confidence = config.profile.seeds, 100 * config.protocol.bootstrap.confidence
    images = f"half the width of the {confidence:.0f} % interval over the images"
    spread = f"{images} of one training; another training can differ by more"
    if seeds > 1:
        spread = f"the standard deviation of {seeds} trainings (nothing to train: {images})"
    paper = f"; {PAPER}: the published value" if published else ""
    return f"{HERE}: mean ± {spread}{paper}."


def describe_origin(config: Config) -> str:
    """Where the methods are from, here and in the paper."""
    trained = describe_training(config, f"{HERE}, with the steps above")
    return f"{trained} The paper took its baselines from released models or code."


def describe_training(config: Config, how: str) -> str:
    """Which methods of the profile were trained, in a sentence that ends with `how`."""
    methods = config.profile.methods
    untrained = [config.title(name) for name in methods if name not in config.trained]
    if len(untrained) == len(methods):
        return f"No method was trained {HERE}."
    others = f" but {', '.join(untrained)}" if untrained else ""
    return f"All methods{others} were trained {how}."


def collect_notes(config: Config, summaries: Summaries) -> list[str]:
    """What a reader must know to judge the numbers."""
    return [
        f"{describe_origin(config)} If data, image size or steps differ from the paper's, compare "
        "the order of the methods, not the numbers.",
        FEATURES[config.profile.frechet],
        *_few_images_note(summaries),
        f"SSIM: {SSIM[config.protocol.ssim]}; the paper does not say which variant it used.",
        *_infinite_notes(config, summaries),
        *_untrained_notes(config),
    ]


def collect_extended_notes(config: Config) -> list[str]:
    """Further notes for the extended table."""
    return [*EXTENDED, f"{kernel_name(config.profile.frechet)}: {KERNEL}"]


def _few_images_note(summaries: Summaries) -> list[str]:
    """One note for the warnings of the Fréchet distance on all data sets."""
    few = [
        (summary.images, one_bin.distances)
        for summary in summaries.values()
        for one_bin in summary.bins.values()
        if one_bin.distances.warning
    ]
    if not few:
        return []
    images = " and ".join(str(count) for count in sorted({count for count, _ in few}))
    distances = few[0][1]
    return [
        f"{distances.frechet_name}: {images} images for {distances.dimensions:,} dimensions are "
        "few. The value is biased upwards and comparable only for the same number of images."
    ]


def _untrained_notes(config: Config) -> list[str]:
    methods = {name: config.protocol.methods[name] for name in config.profile.methods}
    return [
        f"{method.title}: completed by other software; only composited and scored {HERE}."
        if isinstance(method, External)
        else f"{method.title}: nothing to train."
        for name, method in methods.items()
        if name not in config.trained
    ]


def _infinite_notes(config: Config, summaries: Summaries) -> list[str]:
    """The number of infinite PSNRs, which are left out of the means."""
    return [
        f"{config.title(method)} on {config.profile.datasets[dataset].title}, "
        f"{format_bin(name)}: {estimate.infinite} of {estimate.infinite + estimate.n} completed "
        f"images have an infinite {metric.replace('_', ' ').replace('psnr', 'PSNR')}, left out "
        "of its mean."
        for (dataset, method), summary in summaries.items()
        for name, one_bin in summary.bins.items()
        for metric, estimate in one_bin.means.items()
        if estimate.infinite
    ]
