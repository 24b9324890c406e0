"""Load the configuration: `params.yaml`, the same for all, and `profiles/NAME.yaml`.

It is loaded once, validated, and passed down; nothing is global. The module avoids
slow imports, since the workflow engines load the configuration at every start.
"""

import os
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from mdrnets.config.checks import check_config
from mdrnets.config.network_id import NetworkId
from mdrnets.config.options import Options
from mdrnets.config.profile import Profile
from mdrnets.config.profile_files import locate_key, merge, read_profile
from mdrnets.config.protocol import (
    FULL,
    PARAMS,
    Ablation,
    AblationFigure,
    Network,
    ProfileName,
    Protocol,
)
from mdrnets.config.validation import validate_options
from mdrnets.config.yaml_loader import load_yaml
from mdrnets.errors import UserError


class Config(Options):
    """Protocol and profile, checked against each other.

    Attributes:
        name: of the profile.
        protocol: from `params.yaml`.
        profile: from `files`.
        files: the profile's file, then those of the profiles that it extends.
    """

    name: ProfileName
    protocol: Protocol
    profile: Profile
    files: Annotated[tuple[Path, ...], Field(min_length=1)]

    @property
    def path(self) -> Path:
        """The profile's own file."""
        return self.files[0]

    def locate(self, key: str) -> str:
        """`FILE:LINE: KEY` of a key of the profile, for error messages."""
        return locate_key(self.files, key)

    @property
    def networks(self) -> dict[str, Network]:
        """Every network that the profile runs, by name: components before the methods."""
        networks = self.protocol.networks
        run = {name: networks[name] for name in self.profile.methods if name in networks}
        used = {name for method in run.values() for name in method.uses}
        components = {n: c for n, c in self.protocol.components.items() if n in used}
        variants = [self.variant(name) for name in self.profile.variants]
        trainings = [again for name in (*run, *variants) for again in self.trainings(name)]
        return components | {name: self.network(name) for name in trainings}

    @property
    def trained(self) -> dict[str, Network]:
        """The networks that the profile trains."""
        return {name: network for name, network in self.networks.items() if network.trained}

    @property
    def method_titles(self) -> dict[str, str]:
        """The methods of the profile with their titles, in the order of params.yaml."""
        methods = self.protocol.methods.items()
        return {name: m.title for name, m in methods if name in self.profile.methods}

    @property
    def ablations(self) -> dict[str, Ablation]:
        """Tables of which the profile runs a variant."""
        run = set(self.profile.variants)
        return {name: a for name, a in self.protocol.ablations.items() if run & set(a.rows)}

    @property
    def figures(self) -> dict[str, AblationFigure]:
        """Figures of which the profile runs a variant."""
        run = set(self.profile.variants)
        return {name: f for name, f in self.protocol.figures.items() if run & set(f.columns)}

    def runs(self, variant: str) -> bool:
        """Whether the profile has this row or column of an ablation."""
        return variant in (FULL, *self.profile.variants)

    def variant(self, name: str) -> str:
        """The network that is a row of an ablation: `METHOD@VARIANT`, or the method itself."""
        base = str(self.protocol.ablation_base)
        return base if name == FULL else f"{base}@{name}"

    def trainings(self, method: str) -> tuple[str, ...]:
        """All trainings of a method or variant: the first has its name, then `NAME@seed2`, …"""
        first = NetworkId.parse(method)
        entry = self.protocol.methods[first.base]
        count = self.profile.seeds if isinstance(entry, Network) and entry.trained else 1
        return tuple(str(replace(first, training=number)) for number in range(1, count + 1))

    def seed(self, network: str) -> int:
        """The seed of a network's training and of its samples."""
        return self.protocol.seed + NetworkId.parse(network).training - 1

    def network(self, name: str) -> Network:
        """A component, a method, `METHOD@VARIANT`, or a further training of one."""
        network_id = NetworkId.parse(name)
        network = self.protocol.networks[network_id.base]
        if network_id.variant:
            title = self.protocol.variants[network_id.variant].title
            network = network.model_copy(update={"title": title, "dataset": 0})
        if network_id.training > 1:
            title = f"{network.title}, training {network_id.training}"
            network = network.model_copy(update={"title": title})
        return network

    def title(self, name: str) -> str:
        """The title of a method; for a row that only the paper has, its name."""
        if name in self.protocol.methods:
            return self.protocol.methods[name].title
        return (
            self.network(name).title
            if NetworkId.parse(name).base in self.protocol.methods
            else name
        )

    def options(self, name: str) -> dict[str, Any]:
        """The options of a network in the profile, with the changes of its variant."""
        network_id = NetworkId.parse(name)
        options = self.profile.networks.get(network_id.base, {})
        if not network_id.variant:
            return options
        return merge(options, self.protocol.variants[network_id.variant].options)

    def published(self, network: str) -> bool:
        """Whether it takes published weights instead of a training."""
        return bool(self.network(network).weights and self.options(network).get("published"))

    def trained_on(self, network: str, dataset: str) -> str:
        """The data set on which the `network` that `dataset` uses is trained."""
        position = self.network(network).dataset
        return dataset if position is None else list(self.profile.datasets)[position]

    def training_datasets(self, network: str) -> tuple[str, ...]:
        """The data sets of the profile on which a network is trained."""
        used = (self.trained_on(network, dataset) for dataset in self.profile.datasets)
        return tuple(dict.fromkeys(used))


def load_config(profile: str | None = None) -> Config:
    """Load `params.yaml` and a profile from the current folder.

    Args:
        profile: name of the profile; None: the one that `params.yaml` names.

    Raises:
        UserError: a file is missing, a key is unknown, or a value is not accepted.
    """
    protocol = validate_options(Protocol, _read(PARAMS), where=PARAMS)
    name = profile or protocol.profile
    values, files = read_profile(name)
    config = Config(
        name=name,
        protocol=protocol,
        profile=validate_options(Profile, values, where=partial(locate_key, files)),
        files=files,
    )
    check_config(config)
    return config


def expand(path: str, *, required: bool = True) -> Path:
    """Replace `$NAME` and `~` in a path from the environment.

    Raises:
        UserError: an environment variable is required, and not set.
    """
    for variable in re.findall(r"\$\{?(\w+)", path):
        if required and variable not in os.environ:
            raise UserError(
                f"{path}: the environment variable {variable} is not set; set it, or correct the "
                f"path in the profile or in {PARAMS}"
            )
    return Path(os.path.expanduser(os.path.expandvars(path)))  # noqa: PTH111 (raises for ~nobody)


def _read(path: Path) -> Any:
    try:
        return load_yaml(path)
    except FileNotFoundError:
        raise UserError(f"{path}: file not found; run this from the project's folder") from None
