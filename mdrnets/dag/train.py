"""Every network of the profile."""

from collections.abc import Iterator
from pathlib import Path

from mdrnets.config.load import Config
from mdrnets.config.profile import VGG
from mdrnets.config.protocol import split_name
from mdrnets.dag.stage import D, Stage, stage_name
from mdrnets.layout import Layout


def training_stages(config: Config, layout: Layout) -> Iterator[Stage]:
    datasets = tuple(config.profile.datasets)
    for name, network in config.trained.items():
        where = datasets if network.dataset is None else (datasets[network.dataset],)
        yield Stage(
            name=stage_name("train", name),
            group="train",
            program="train",
            arguments=(D, name),
            modules=("stages.train", network.module, *part_modules(config, network.uses)),
            axes={"dataset": where},
            inputs=(
                layout.split(D),
                layout.images(D),
                *([layout.labels(D)] if network.labels else []),
                layout.hole_split(),
                layout.holes(),
                *models_files(config, layout, network.uses),
                *_weights(config, layout, name),
            ),
            outputs=(*model_files(layout, D, name), layout.history(D, name)),
            protocol=("seed", *network_keys(config, name)),
            settings=(
                "image_size",
                "device",
                "devices",
                "precision",
                "channels_last",
                "threads",
                "perceptual",
                "training.log_every",
                f"networks.{base_name(name)}",
            ),
        )


def _weights(config: Config, layout: Layout, network: str) -> tuple[Path, ...]:
    """Published weights that it reads: in place of a training, or those of its losses."""
    if weights := config.network(network).weights:  # its training has no perceptual losses
        return (layout.weights(weights),) if config.published(network) else ()
    if config.profile.perceptual != "vgg":
        return ()
    return tuple(layout.weights(name) for name in VGG if name in config.profile.weights)


def base_name(network: str) -> str:
    """The part or method of which it is a variant or a further training."""
    return split_name(network)[0]


def network_keys(config: Config, network: str) -> tuple[str, ...]:
    """What `params.yaml` says of a network that decides its weights."""
    base, variant, _ = split_name(network)
    section = "components" if base in config.protocol.components else "methods"
    keys = (f"{section}.{base}.module",)
    return (*keys, f"variants.{variant}.options") if variant else keys


def model_files(layout: Layout, dataset: str, network: str) -> tuple[Path, Path]:
    return layout.model(dataset, network), layout.model_config(dataset, network)


def models_files(config: Config, layout: Layout, parts: tuple[str, ...]) -> tuple[Path, ...]:
    return tuple(
        path
        for part in parts
        for path in model_files(layout, config.trained_on(part, "{dataset}"), part)
    )


def part_modules(config: Config, parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(config.protocol.components[part].module for part in parts)
