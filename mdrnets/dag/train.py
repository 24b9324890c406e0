"""Every network of the profile: components first, then the methods and variants."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from mdrnets.config.load import Config
from mdrnets.config.profile import VGG
from mdrnets.dag.networks import NetworkGroup, component_groups, method_groups
from mdrnets.dag.stage import DATASET, Stage
from mdrnets.layout import Layout

TRAINING_KEYS = (
    "image_size",
    "device",
    "devices",
    "precision",
    "channels_last",
    "compile",
    "deterministic",
    "threads",
    "perceptual",
    "training.log_every",
)
"""What every training reads from the profile; `checkpoint_every` changes no result."""


def training_stages(config: Config, layout: Layout) -> Iterator[Stage]:
    for group in (*component_groups(config), *method_groups(config)):
        if group.example.trained:
            yield _training(config, layout, group)


def _training(config: Config, layout: Layout, group: NetworkGroup) -> Stage:
    network = group.example
    return Stage(
        name=group.stage_name("train"),
        group="train",
        program="train",
        arguments=(DATASET, group.network),
        matrix=group.matrix,
        inputs=(
            layout.split(DATASET),
            layout.images(DATASET),
            *([layout.labels(DATASET)] if network.labels else []),
            layout.hole_split(),
            layout.holes(),
            *component_files(config, layout, network.uses),
            *_weights(config, layout, group),
        ),
        outputs=(
            *model_files(layout, DATASET, group.network),
            layout.history(DATASET, group.network),
        ),
        profile_keys=TRAINING_KEYS,
        network=group.network,
        components=network.uses,
        uses_options=True,
    )


def _weights(config: Config, layout: Layout, group: NetworkGroup) -> tuple[Path, ...]:
    """Published weights that it reads: instead of training, or for its losses."""
    if weights := group.example.weights:  # its training has no perceptual losses
        return (layout.weights(weights),) if config.published(group.base) else ()
    if config.profile.perceptual != "vgg":
        return ()
    return tuple(layout.weights(name) for name in VGG if name in config.profile.weights)


def model_files(layout: Layout, dataset: str, network: str) -> tuple[Path, Path]:
    """The weights and the configuration that they belong to."""
    return layout.model(dataset, network), layout.model_config(dataset, network)


def component_files(config: Config, layout: Layout, names: Iterable[str]) -> tuple[Path, ...]:
    """The trained components that the data set uses."""
    return tuple(
        path
        for name in names
        for path in model_files(layout, config.trained_on(name, DATASET), name)
    )
