"""Build networks from the configuration: untrained ones for training, and trained, frozen ones.

`params.yaml` names the module of each network; this file does not refer to any network by name.
"""

import importlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, cast

import torch

from mdrnets.config.load import Config
from mdrnets.config.network_id import NetworkId
from mdrnets.config.options import Options, TrainOptions, with_steps
from mdrnets.config.protocol import PARAMS, Network
from mdrnets.config.validation import add_place, validate_options
from mdrnets.config.yaml_loader import locate
from mdrnets.errors import UserError
from mdrnets.layout import Layout
from mdrnets.methods.base import BuildContext, Trainable
from mdrnets.methods.model_files import ModelConfig, load_model_config, load_weights
from mdrnets.networks.features import PerceptualFeatures, build_features, load_published
from mdrnets.networks.frozen import freeze
from mdrnets.runtime.seeds import derived_seed


class NetworkModule(Protocol):
    """The interface of a module that `params.yaml` names."""

    Options: type[Options]

    def build(self, *, options: Any, context: BuildContext) -> Trainable: ...


def build_each(config: Config) -> Iterator[tuple[str, Trainable]]:
    """Build every network of the profile, untrained, to find errors before anything is trained.

    Yields:
        Name and network, one after the other, so that they need not fit into memory together.

    Raises:
        UserError: a module is missing or incomplete, an option is invalid, or options are
            incompatible with each other or with the image size.
    """

    def features(wanted: str) -> PerceptualFeatures:
        if config.profile.perceptual == "vgg" and wanted not in config.profile.weights:
            key = config.locate("perceptual")
            raise UserError(
                f"{key}: vgg needs a source `{wanted}` of kind weights; profiles/paper.yaml has one"
            )
        return PerceptualFeatures()

    parts: dict[str, Trainable] = {}
    # Any number would do: it only converts epochs to steps.
    images = max(source.files or 1 for source in config.profile.sources.values())
    for name, network in config.networks.items():  # components come first
        context = BuildContext(
            image_size=config.profile.image_size,
            features=features,
            frozen={part: parts[part] for part in network.uses},
        )
        options = resolved_options(config, name, images=images)
        built = _build(config, name, options=options, context=context)
        yield name, built
        if name in config.protocol.components:
            parts[name] = freeze(built)


def resolved_options(config: Config, network: str, *, images: int) -> Options:
    """Return a network's options: the profile's values, else the defaults of its module.

    Args:
        config: protocol and profile.
        network: a component or a method.
        images: number of training images, to convert `epochs` into steps.

    Raises:
        UserError: an option is invalid.
    """
    module = network_module(config.network(network), network)
    place = partial(_place_option, config, network)
    values = config.options(network)
    if "epochs" in values and issubclass(module.Options, TrainOptions):
        if not module.Options.takes_epochs:
            raise UserError(
                f"{place('epochs')}: not an option of this network, whose phases have batches of "
                "different sizes; give `steps`"
            )
        default = module.Options.model_fields["batch_size"].default
        values = with_steps(
            values, batch_size=values.get("batch_size", default), images=images, place=place
        )
    return validate_options(module.Options, values, where=place)


def _place_option(config: Config, network: str, key: str) -> str:
    """Where a network's option is written; a variant has its own in params.yaml."""
    network_id = NetworkId.parse(network)
    if network_id.variant:
        changes = config.protocol.variants[network_id.variant].options
        if key.partition(".")[0] in changes:
            return locate(PARAMS, f"variants.{network_id.variant}.options.{key}")
    return config.locate(".".join(filter(None, ("networks", network_id.base, key))))


def _build(config: Config, network: str, *, options: Options, context: BuildContext) -> Trainable:
    module = network_module(config.network(network), network)
    with placing_options(config, network):
        return module.build(options=options, context=context)


@contextmanager
def placing_options(config: Config, network: str) -> Iterator[None]:
    """Errors that begin with an option of the network or `image_size` get its file and line."""
    try:
        yield
    except UserError as error:
        key = str(error).partition(":")[0]
        options = network_module(config.network(network), network).Options
        if key == "image_size":
            place = config.locate
        elif key in options.model_fields:
            place = partial(_place_option, config, network)
        else:
            raise
        raise UserError(add_place(str(error), place)) from None


def network_module(network: Network, name: str) -> NetworkModule:
    """Import a network's module."""
    return import_network_module(network.module, where=f"{PARAMS}: {name}.module: {network.module}")


def import_network_module(name: str, *, where: str) -> NetworkModule:
    """Import a module that defines a network.

    Args:
        name: of the module.
        where: file and key that name it, for error messages.

    Raises:
        UserError: it is missing or incomplete.
    """
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise UserError(f"{where}: module not found; create it or correct the name") from None
        raise UserError(
            f"{where}: it imports {error.name}, which is not installed; install it"
        ) from None
    for wanted in ("Options", "build"):
        if not hasattr(module, wanted):
            raise UserError(
                f"{where}: `{wanted}` not found; expected `Options` and `build`; add it"
            )
    return cast(NetworkModule, module)


def build_network(
    config: Config, layout: Layout, *, network: str, dataset: str, images: int = 0
) -> Trainable:
    """Build an untrained network and load the trained ones that it uses.

    The initial weights depend on the seed, the data set and the network; those of the
    reconstruction network also on the kind of perceptual features, which are built before them.

    Args:
        config: protocol and profile.
        layout: paths of the profile's files.
        network: a component or a method.
        dataset: the data set to train on.
        images: number of training images, see `resolved_options`; 0 if nothing is trained.

    Raises:
        UserError: options are incompatible, or a network that it uses is missing or unusable.
    """
    context = training_context(config, layout, network=network, dataset=dataset)
    torch.manual_seed(_weights_seed(config, network, dataset))
    options = resolved_options(config, network, images=images)
    return _build(config, network, options=options, context=context)


def training_context(config: Config, layout: Layout, *, network: str, dataset: str) -> BuildContext:
    """Return the context of a network that is to be trained; see `build_network`."""

    def features(name: str) -> PerceptualFeatures:
        weights = layout.weights(name)
        return build_features(name, perceptual=config.profile.perceptual, weights=weights)

    return BuildContext(
        image_size=config.profile.image_size,
        features=features,
        weights=lambda name: load_published(layout.weights(name)),
        frozen=_load_parts(config, layout, config.network(network).uses, dataset),
    )


def load_network(config: Config, layout: Layout, *, network: str, dataset: str) -> Trainable:
    """Load a trained network, frozen, and the networks that it needs for inference.

    It is built with the options that it was trained with, even if the profile has changed since.

    Args:
        config: protocol and profile.
        layout: paths of the profile's files.
        network: a component or a method.
        dataset: the data set that it was trained on.

    Raises:
        UserError: its files are missing, damaged, or belong to another network.
    """
    trainable = untrained_network(config, layout, network=network, dataset=dataset)
    load_weights(layout.model(dataset, network), trainable)
    return trainable


def untrained_network(config: Config, layout: Layout, *, network: str, dataset: str) -> Trainable:
    """Like `load_network`, but with the initial weights instead of the trained ones."""
    path = layout.model_config(dataset, network)
    saved = load_model_config(path)
    entry = config.network(network)
    if saved.image_size != config.profile.image_size:
        raise UserError(
            f"{path}: trained on images of {saved.image_size} pixels, but {config.path} has "
            f"image_size {config.profile.image_size}; train the network again"
        )
    frozen = _load_parts(config, layout, entry.inference_uses, dataset)
    module = network_module(entry, network)
    torch.manual_seed(_weights_seed(config, network, dataset))
    return build_saved(module, saved, path, frozen=frozen)


def build_saved(
    module: NetworkModule, saved: ModelConfig, path: Path, *, frozen: Mapping[str, Trainable]
) -> Trainable:
    """Build a network as it was trained, frozen, but with initial weights.

    Args:
        module: that defines it.
        saved: the configuration of its training.
        path: the file of `saved`, for error messages.
        frozen: the networks that it uses.

    Raises:
        UserError: an option is invalid.
    """
    options = validate_options(module.Options, saved.options, where=f"{path}: options")
    context = BuildContext(image_size=saved.image_size, features=_no_features, frozen=frozen)
    return freeze(module.build(options=options, context=context))


def _load_parts(
    config: Config, layout: Layout, parts: Iterable[str], dataset: str
) -> dict[str, Trainable]:
    return {
        part: load_network(config, layout, network=part, dataset=config.trained_on(part, dataset))
        for part in parts
    }


def _weights_seed(config: Config, network: str, dataset: str) -> int:
    return derived_seed(config.seed(network), "weights", dataset, network)


def _no_features(name: str) -> PerceptualFeatures:
    """Return a placeholder: only training losses need perceptual features."""
    return PerceptualFeatures()
