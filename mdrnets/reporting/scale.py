"""What a run can decide: whether its scale is near enough to the paper's to judge its claims."""

from collections.abc import Iterator

from mdrnets.config.constants import PAPERS_METHOD
from mdrnets.config.load import Config
from mdrnets.data.dataset import SPLIT_COLUMNS
from mdrnets.files.tables import read_table
from mdrnets.layout import Layout
from mdrnets.metrics.names import frechet_name

UNTRAINED = "the paper's method is not trained"


def find_limits(config: Config) -> list[str]:
    """Why this run cannot decide the paper's claims, in a few words each; empty: it can.

    The thresholds are `paper_scale` of params.yaml.
    """
    scale, profile = config.protocol.paper_scale, config.profile
    limits = []
    if any(dataset.rendered for dataset in profile.datasets.values()):
        limits.append("rendered faces")
    if profile.image_size < scale.image_size:
        limits.append(f"{profile.image_size}×{profile.image_size} pixels")
    if PAPERS_METHOD not in config.trained:
        limits.append(UNTRAINED)
    elif (share := training_share(config)) < scale.min_share:
        limits.append(f"{_percent(share)} of the paper's training")
    if profile.frechet != scale.frechet:
        limits.append(f"{frechet_name(profile.frechet)} in place of FID")
    return limits


def training_share(config: Config) -> float:
    """The images that the paper's method sees here, as a share of those that it sees there.

    Raises:
        UserError: the profile counts epochs, and a table of a split is missing or damaged.
    """
    scale, options = config.protocol.paper_scale, config.options(PAPERS_METHOD)
    if "epochs" in options:
        images = options["epochs"] * min(_count_training_images(config))
    else:
        images = options["steps"] * options.get("batch_size", scale.batch_size)
    return float(images / (scale.epochs * scale.training_images))


def _count_training_images(config: Config) -> Iterator[int]:
    """Of each data set."""
    for dataset in config.profile.datasets:
        rows = read_table(Layout(config.name).split(dataset), SPLIT_COLUMNS)
        yield sum(row["role"] == "train" for row in rows)


def headline(config: Config) -> str:
    """What the run can decide, in one sentence."""
    limits = find_limits(config)
    if not limits:
        alone = ", as far as one training can tell" if config.profile.seeds == 1 else ""
        return f"This run has the paper's scale: its verdicts are about the paper's claims{alone}."
    return f"This run cannot decide the paper's claims: {', '.join(limits)}."


def _percent(share: float) -> str:
    """For example `3 %`, rounded down; below 1 % with one digit that is not 0."""
    percent = round(100 * share, 6)  # 100 * 0.29 is 28.999999999999996
    return f"{int(percent)} %" if percent >= 1 else f"{percent:.1g} %"
