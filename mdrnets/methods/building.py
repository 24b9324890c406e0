"""From the configuration to networks: untrained ones for training, trained ones to build upon.

A network's module is named in `params.yaml`; nothing here knows one by name.
"""

import importlib
from typing import Any, Protocol, cast

import torch

from mdrnets.config.load import PARAMS, Config
from mdrnets.config.options import Options, with_steps
from mdrnets.config.protocol import Network
from mdrnets.config.validation import validate_options
from mdrnets.errors import UserError
from mdrnets.layout import Layout
from mdrnets.methods.base import BuildContext, Trainable
from mdrnets.methods.model_files import load_model_config, load_weights
from mdrnets.networks.features import PerceptualFeatures, build_features, load_published
from mdrnets.networks.frozen import freeze
from mdrnets.runtime.seeds import derived_seed


class NetworkModule(Protocol):
    """What every module under `mdrnets/methods/` that is named in `params.yaml` offers."""

    Options: type[Options]

    def build(self, *, options: Any, context: BuildContext) -> Trainable: ...


def check_networks(config: Config) -> None:
    """Build every network that the profile trains, before any of them is trained, and drop it.

    Raises:
        UserError: a module is missing or lacks something, a bad option, or options that do not
            fit together or do not fit the image size.
    """

    def features(wanted: str) -> PerceptualFeatures:
        if config.profile.perceptual == "vgg" and wanted not in config.profile.weights:
            raise UserError(
                f"{config.path}: perceptual: vgg needs a source `{wanted}` of kind weights; "
                "profiles/paper.yaml has one"
            )
        return PerceptualFeatures()

    parts: dict[str, Trainable] = {}
    images = max(source.files or 1 for source in config.profile.sources.values())  # none asks
    for name, network in config.networks.items():  # parts come before what uses them
        context = BuildContext(
            image_size=config.profile.image_size,
            features=features,
            frozen={part: parts[part] for part in network.uses},
        )
        options = resolved_options(config, name, images=images)
        built = network_module(network, name).build(options=options, context=context)
        if name in config.protocol.components:
            parts[name] = freeze(built)


def resolved_options(config: Config, network: str, *, images: int) -> Options:
    """The profile's options of a network, with the defaults of its module.

    Args:
        config: protocol and profile.
        network: a part or a method.
        images: that it is trained on, from which `epochs` become steps.

    Raises:
        UserError: a bad option.
    """
    module = network_module(config.network(network), network)
    where = f"{config.path}: networks.{network}"
    values = config.options(network)
    if "epochs" in values:
        default = module.Options.model_fields["batch_size"].default
        values = with_steps(
            values, batch_size=values.get("batch_size", default), images=images, where=where
        )
    return validate_options(module.Options, values, where=where)


def network_module(network: Network, name: str) -> NetworkModule:
    """Import a network's module."""
    where = f"{PARAMS}: {name}.module: {network.module}"
    try:
        module = importlib.import_module(network.module)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{network.module}.".startswith(f"{error.name}."):
            raise UserError(f"{where}: there is no such module; write it, or correct it") from None
        raise UserError(
            f"{where}: it imports {error.name}, which is not installed; install it"
        ) from None
    for wanted in ("Options", "build"):
        if not hasattr(module, wanted):
            raise UserError(
                f"{where}: it has no `{wanted}`; a network's module offers `Options` and `build`"
            )
    return cast(NetworkModule, module)


def build_network(
    config: Config, layout: Layout, *, network: str, dataset: str, images: int = 0
) -> Trainable:
    """The untrained network, on top of the trained ones that it uses; always the same weights.

    Args:
        config: protocol and profile.
        layout: where the profile's files lie.
        network: a part or a method.
        dataset: that it is to be trained on.
        images: that it is to be trained on, see `resolved_options`; 0: it has nothing to learn.

    Raises:
        UserError: options that do not fit, or a used network that is missing or unusable.
    """
    entry = config.network(network)
    frozen = {
        part: load_network(config, layout, network=part, dataset=config.trained_on(part, dataset))
        for part in entry.uses
    }

    def features(name: str) -> PerceptualFeatures:
        weights = layout.weights(name)
        return build_features(name, perceptual=config.profile.perceptual, weights=weights)

    torch.manual_seed(_weights_seed(config, network, dataset))
    return network_module(entry, network).build(
        options=resolved_options(config, network, images=images),
        context=BuildContext(
            image_size=config.profile.image_size,
            features=features,
            weights=lambda name: load_published(layout.weights(name)),
            frozen=frozen,
        ),
    )


def load_network(config: Config, layout: Layout, *, network: str, dataset: str) -> Trainable:
    """A trained network, frozen, on top of those that it needs when it is used.

    It is built with the options that it was trained with, whatever the profile says now.

    Args:
        config: protocol and profile.
        layout: where the profile's files lie.
        network: a part or a method.
        dataset: that it was trained on.

    Raises:
        UserError: its files are missing, damaged, or those of another network.
    """
    trainable = untrained_network(config, layout, network=network, dataset=dataset)
    load_weights(layout.model(dataset, network), trainable)
    return trainable


def untrained_network(config: Config, layout: Layout, *, network: str, dataset: str) -> Trainable:
    """As `load_network`, but with the weights that the training began with."""
    path = layout.model_config(dataset, network)
    saved = load_model_config(path)
    entry = config.network(network)
    if saved.image_size != config.profile.image_size:
        raise UserError(
            f"{path}: trained on images of {saved.image_size} pixels, but {config.path} has "
            f"image_size {config.profile.image_size}; train the network again"
        )
    frozen = {
        part: load_network(config, layout, network=part, dataset=config.trained_on(part, dataset))
        for part in entry.inference_uses
    }
    module = network_module(entry, network)
    torch.manual_seed(_weights_seed(config, network, dataset))
    trainable = module.build(
        options=validate_options(module.Options, saved.options, where=f"{path}: options"),
        context=BuildContext(image_size=saved.image_size, features=_no_features, frozen=frozen),
    )
    return freeze(trainable)


def _weights_seed(config: Config, network: str, dataset: str) -> int:
    return derived_seed(config.seed(network), "weights", dataset, network)


def _no_features(name: str) -> PerceptualFeatures:
    """Losses are for training: a trained network needs no feature network, nor its weights."""
    return PerceptualFeatures()
