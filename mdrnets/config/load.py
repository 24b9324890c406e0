"""The configuration: `params.yaml` is the protocol, `profiles/NAME.yaml` what a machine affords.

Loaded once, validated, and passed down; nothing reads a global. Import-light, since the workflow
engines read it at each start.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from mdrnets.config.data import Name
from mdrnets.config.network_id import NetworkId
from mdrnets.config.options import Options
from mdrnets.config.profile import Profile
from mdrnets.config.protocol import FULL, Ablation, AblationFigure, Network, Protocol
from mdrnets.errors import UserError

PARAMS = Path("params.yaml")
PROFILES = Path("profiles")


class Config(Options):
    """Protocol and profile, checked against each other."""

    name: Name
    protocol: Protocol
    profile: Profile

    @property
    def path(self) -> Path:
        """The profile's file."""
        return profile_path(self.name)

    @property
    def networks(self) -> dict[str, Network]:
        """Every network that the profile runs, by name: parts before the methods."""
        networks = self.protocol.networks
        run = {name: networks[name] for name in self.profile.methods if name in networks}
        used = {part for method in run.values() for part in method.uses}
        parts = {name: part for name, part in self.protocol.components.items() if name in used}
        variants = [self.variant(name) for name in self.profile.variants]
        trainings = [again for name in (*run, *variants) for again in self.trainings(name)]
        return parts | {name: self.network(name) for name in trainings}

    @property
    def trained(self) -> dict[str, Network]:
        """Those that it trains."""
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
        return (
            f"{self.protocol.ablation_base}@{name}"
            if name != FULL
            else str(self.protocol.ablation_base)
        )

    def trainings(self, method: str) -> tuple[str, ...]:
        """All trainings of a method or variant: the first has its name, then `NAME@seed2`, …"""
        entry = self.protocol.methods[NetworkId.parse(method).base]
        count = self.profile.seeds if isinstance(entry, Network) and entry.trained else 1
        first = NetworkId.parse(method)
        return tuple(str(first.with_training(number)) for number in range(1, count + 1))

    def seed(self, network: str) -> int:
        """Of its training and of its samples."""
        return self.protocol.seed + NetworkId.parse(network).training - 1

    def network(self, name: str) -> Network:
        """A part, a method, `METHOD@VARIANT`, or a further training of one."""
        network_id = NetworkId.parse(name)
        network = self.protocol.network(network_id.base)
        if network_id.variant:
            title = self.protocol.variants[network_id.variant].title
            network = network.model_copy(update={"title": title, "dataset": 0})
        if network_id.training > 1:
            title = f"{network.title}, training {network_id.training}"
            network = network.model_copy(update={"title": title})
        return network

    def title(self, name: str) -> str:
        """Of a method, as `network` names it; a row that the paper alone has is its own title."""
        if name in self.protocol.methods:
            return self.protocol.methods[name].title
        return (
            self.network(name).title
            if NetworkId.parse(name).base in self.protocol.methods
            else name
        )

    def options(self, name: str) -> dict[str, Any]:
        """The options of a network as the profile, and the variant, give them."""
        network_id = NetworkId.parse(name)
        options = self.profile.networks.get(network_id.base, {})
        if not network_id.variant:
            return options
        return _merged(options, self.protocol.variants[network_id.variant].options)

    def published(self, network: str) -> bool:
        """Whether it takes published weights instead of a training."""
        return bool(self.network(network).weights and self.options(network).get("published"))

    def trained_on(self, network: str, dataset: str) -> str:
        """The data set whose training of `network` serves `dataset`."""
        position = self.network(network).dataset
        return dataset if position is None else list(self.profile.datasets)[position]


def load_config(profile: str | None = None) -> Config:
    """Read `params.yaml` and a profile (by default the one it names) of the current folder.

    Raises:
        UserError: a missing file, an unknown key or a bad value, with file, key and expectation.
    """
    protocol = _validated(Protocol, _read(PARAMS), PARAMS)
    name = profile or protocol.profile
    path = profile_path(name)
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in PROFILES.glob("*.yaml"))) or "none"
        raise UserError(f"{path}: there is no profile {name!r}; known profiles: {known}")
    settings = _validated(Profile, _read(path), path)

    if unknown := [m for m in settings.methods if m not in protocol.methods]:
        known = ", ".join(protocol.methods)
        raise UserError(f"{path}: methods: unknown method {unknown[0]!r}; {PARAMS} has {known}")
    config = Config(name=name, protocol=protocol, profile=settings)
    for variant in settings.variants:
        if variant not in protocol.variants:
            known = ", ".join(protocol.variants)
            raise UserError(f"{path}: variants: unknown {variant!r}; {PARAMS} has {known}")
        if not any(variant in ablation.rows for ablation in protocol.ablations.values()):
            raise UserError(f"{PARAMS}: ablations: no table has the variant {variant}; add it")
    if settings.variants and protocol.ablation_base not in settings.methods:
        raise UserError(
            f"{path}: variants need {protocol.ablation_base} itself among the methods; add it"
        )
    datasets = list(settings.datasets.values())
    for network, entry in config.trained.items():
        if entry.dataset is not None and not 0 <= entry.dataset < len(datasets):
            raise UserError(
                f"{PARAMS}: {network}.dataset: position {entry.dataset}, but {path} has only "
                f"{len(datasets)} data sets"
            )
        labelled = entry.dataset is None or datasets[entry.dataset].labels
        if entry.labels and not labelled:
            raise UserError(
                f"{path}: datasets: {entry.title.lower()} is trained on label maps, but its data "
                "set has no `labels`"
            )
        if NetworkId.parse(network).base not in settings.networks:
            raise UserError(f"{path}: networks.{network} is missing; it gives the training steps")
        if config.published(network) and entry.weights not in settings.weights:
            raise UserError(
                f"{path}: networks.{network}.published needs a source `{entry.weights}` of kind "
                "weights; profiles/paper.yaml has one"
            )
    if unknown := sorted(set(settings.networks) - set(protocol.components) - set(protocol.methods)):
        raise UserError(f"{path}: networks.{unknown[0]}: {PARAMS} has no such part or method")
    return config


def profile_path(name: str) -> Path:
    return PROFILES / f"{name}.yaml"


def expand(path: str) -> Path:
    """A path with `$NAME` replaced from the environment.

    Raises:
        UserError: a variable is not set.
    """
    for variable in re.findall(r"\$\{?(\w+)", path):
        if variable not in os.environ:
            raise UserError(
                f"{path}: the environment variable {variable} is not set; set it to the folder "
                "that holds the archives"
            )
    return Path(os.path.expandvars(path)).expanduser()


def validated_options(options: type[Options], values: Mapping[str, Any], *, where: str) -> Any:
    """A network's options from the profile; errors name the key below `where`."""
    return _validated(options, values, where)


def _read(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file; run from the project's folder") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not valid YAML: {error}") from None


def _validated(model: type[Options], values: Any, where: Path | str) -> Any:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = [
            f"{'.'.join(str(part) for part in problem['loc'])}: "
            + ("unknown key" if problem["type"] == "extra_forbidden" else problem["msg"])
            for problem in error.errors()
        ]
        raise UserError(f"{where}: " + "; ".join(problems)) from None


def _merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with `changes` over them, mapping by mapping."""
    merged = dict(values)
    for key, change in changes.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(change, Mapping)
        merged[key] = _merged(old, change) if both else change  # type: ignore[arg-type]
    return merged
