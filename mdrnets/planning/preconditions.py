"""What the stages of a profile need before the first of them computes for hours.

Each check is one that a later stage makes as well; here they come first, and together.
"""

from collections.abc import Iterator
from pathlib import Path

from mdrnets.config.checks import holdout_problems
from mdrnets.config.load import Config, expand
from mdrnets.config.protocol import PARAMS, External
from mdrnets.config.yaml_loader import locate
from mdrnets.dag.evaluate import inspected_method, per_class_networks
from mdrnets.data.download.cache import require_licence
from mdrnets.data.number_lists import read_numbers
from mdrnets.errors import UserError
from mdrnets.evaluation.completion import require_method
from mdrnets.evaluation.inspect_method import require_mdrnets, require_memory
from mdrnets.evaluation.per_class import require_parser
from mdrnets.methods.building import build_each
from mdrnets.training.sampling import require_even_shares


def check_data(config: Config) -> None:
    """Check that the data suffice, everything outside exists, and licences are accepted.

    Raises:
        UserError: names all files and environment variables that are missing, all licences that
            are not accepted, and all splits that are too small.
    """
    problems = [
        *holdout_problems(config),
        *_source_problems(config),
        *_external_problems(config),
    ]
    if problems:
        raise UserError("; ".join(problems))


def check_networks(config: Config) -> None:
    """Check that every network can be built, and does what later stages need it for.

    Raises:
        UserError: it cannot be built, is of the wrong kind, or its batches cannot be shared among
            the devices.
    """
    per_class = config.protocol.per_class if per_class_networks(config) else None
    for name, network in build_each(config):
        if name in config.trained and not config.published(name):
            try:
                require_even_shares(network, network.phases(), config.profile.devices)
            except UserError as error:
                raise UserError(f"{config.locate(f'networks.{name}')}: {error}") from None
        if name not in config.protocol.components:
            require_method(name, network)
        if name == inspected_method(config):
            require_memory(config, name, require_mdrnets(name, network))
        if per_class is not None and name == per_class.parser:
            require_parser(name, network)


def _source_problems(config: Config) -> Iterator[str]:
    for name, source in config.profile.sources.items():
        try:
            require_licence(config, name)
        except UserError as error:
            yield str(error)
        if source.numbers is not None:
            try:
                read_numbers(Path(source.numbers))
            except UserError as error:
                yield f"{config.locate(f'sources.{name}.numbers')}: {error}"
        if source.path is not None:
            key = config.locate(f"sources.{name}.path")
            yield from _path_problems(key, source.path, "put the archive or folder there")
    if any(source.url for source in config.profile.sources.values()):
        yield from _path_problems(config.locate("downloads"), config.profile.downloads)


def _external_problems(config: Config) -> Iterator[str]:
    for name in config.profile.methods:
        method = config.protocol.methods[name]
        if isinstance(method, External):
            key = locate(PARAMS, f"methods.{name}.completions")
            paths = [method.completions.format(dataset=d) for d in config.profile.datasets]
            for path in dict.fromkeys(paths):
                yield from _path_problems(key, path, "put the completions there")


def _path_problems(key: str, path: str, remedy: str = "") -> Iterator[str]:
    """The problem of a path: a variable that is not set or, with a `remedy`, that it is missing."""
    try:
        expanded = expand(path)
    except UserError as error:
        yield f"{key}: {error}"
    else:
        if remedy and not expanded.exists():
            yield f"{key}: {expanded} not found; {remedy}, or correct the path"
