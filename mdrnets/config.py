"""The configuration: `params.yaml` is the protocol, `profiles/NAME.yaml` what a machine affords.

Loaded once, validated, and passed down; nothing reads a global. Import-light, since the workflow
engines read it at each start.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BeforeValidator, Discriminator, Field, Tag, ValidationError, model_validator

from mdrnets.config_data import Dataset, Holes, Name, Source
from mdrnets.errors import UserError
from mdrnets.options import Options

PARAMS = Path("params.yaml")
PROFILES = Path("profiles")
STEPS = 6
"""Hole ratios come in steps of 10 %: step 1 is (0, 10] %, step 6 (50, 60] %."""

VGG = ("vgg16", "vgg19")
INCEPTION = "inception_v3"
BISENET = "bisenet"
"""Networks whose weights are published, as the sources of them are named."""

Role = Literal["train", "validation", "test", "unused"]
Names = Annotated[tuple[Name, ...], BeforeValidator(lambda value: _tuple(value))]
Numbers = Annotated[tuple[int, ...], BeforeValidator(lambda value: _tuple(value))]


# -- the protocol ----------------------------------------------------------------------------


class Network(Options):
    """A row of Table 1 that is run here, or a part that a row builds on.

    Attributes:
        title: as printed in tables.
        module: Python module with `Options` and `build`.
        trained: false for a method that has nothing to learn.
        uses: networks that are trained first and frozen, by name.
        completes_with: those of `uses` that completion needs as well.
        dataset: position of the one data set that it is trained on; None: each its own.
        labels: whether it is trained on label maps.
        memory: whether its memory, and the parser that it reads by, can be inspected.
    """

    title: str
    module: str
    trained: bool = True
    uses: Names = ()
    completes_with: Names = ()
    dataset: int | None = None
    labels: bool = False
    memory: bool = False


class External(Options):
    """A row of Table 1 whose completions were made elsewhere.

    Attributes:
        title: as printed in tables.
        completions: a folder or a zip archive of `BIN/IMAGE.png`; `{dataset}` stands for the data
            set's name and `$NAME` for an environment variable.
    """

    title: str
    completions: str


class Variant(Options):
    """The paper's method with something changed: a row of an ablation.

    Attributes:
        title: as printed in tables.
        options: what it overrides in the method's options; mappings are merged.
    """

    title: str
    options: dict[str, Any]


class Ablation(Options):
    """A table of variants beside the full method, on the first data set.

    Attributes:
        title: as printed above it.
        rows: variants, in order; `full` is the method itself.
        claims: what the paper says of them: each list from the best to the worst.
    """

    title: str
    rows: Names
    claims: Annotated[tuple[Names, ...], BeforeValidator(lambda value: _tuple(value))] = ()


class Classwise(Options):
    """The claim about semantic classes that are entirely in the hole.

    Attributes:
        against: the variant that the method is compared with.
        parser: the part that tells the classes of images without annotation.
        fewest_pairs: images with holes that a test needs.
    """

    against: Name
    parser: Name
    fewest_pairs: int = Field(ge=1)


class AblationFigure(Options):
    """Completions of variants side by side, on the first data set.

    Attributes:
        title: as printed below it.
        columns: variants, in order; `full` is the method itself.
    """

    title: str
    columns: Names


FULL = "full"
"""The method itself, among its variants."""


def _kind_of_method(value: Any) -> str:
    external = isinstance(value, External) or (isinstance(value, dict) and "completions" in value)
    return "external" if external else "network"


AnyMethod = Annotated[
    Annotated[Network, Tag("network")] | Annotated[External, Tag("external")],
    Discriminator(_kind_of_method),
]


class Bootstrap(Options):
    """Intervals of Table 1."""

    resamples: int = Field(ge=100)
    confidence: float = Field(gt=0, lt=1)


class Frechet(Options):
    """Interval and test of the Fréchet distance.

    Attributes:
        resamples: of its delete-d jackknife.
        permutations: of the label-swap test that compares two methods.
    """

    resamples: int = Field(ge=10)
    permutations: int = Field(ge=19)


class Protocol(Options):
    """`params.yaml`: what holds for every profile."""

    profile: Name
    seed: int = Field(ge=0)
    bins: dict[str, Numbers]
    ssim: Literal["gaussian11_rgb", "uniform7_rgb", "gaussian11_luma"]
    bootstrap: Bootstrap
    frechet: Frechet
    parts: dict[Name, Network]
    methods: dict[Name, AnyMethod]
    ablated: Name | None = None
    variants: dict[Name, Variant] = Field(default_factory=dict)
    ablations: dict[Name, Ablation] = Field(default_factory=dict)
    figures: dict[Name, AblationFigure] = Field(default_factory=dict)
    classwise: Classwise | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, numbers in self.bins.items():
            if not numbers or not all(1 <= number <= STEPS for number in numbers):
                raise ValueError(f"bins.{name}: expected 10 % steps from 1 to {STEPS}")
        for name, network in self.networks.items():
            if unknown := set(network.uses) - set(self.parts):
                raise ValueError(f"{name}.uses: unknown parts {sorted(unknown)}")
            if unknown := set(network.completes_with) - set(network.uses):
                raise ValueError(f"{name}.completes_with: not in uses: {sorted(unknown)}")
        if self.variants and self.ablated not in self.networks:
            raise ValueError(f"ablated: unknown method {self.ablated!r}")
        for name, ablation in self.ablations.items():
            if unknown := set(ablation.rows) - {FULL} - set(self.variants):
                raise ValueError(f"ablations.{name}: unknown variants {sorted(unknown)}")
            if unknown := {row for claim in ablation.claims for row in claim} - set(ablation.rows):
                raise ValueError(f"ablations.{name}.claims: not in rows: {sorted(unknown)}")
        for name, figure in self.figures.items():
            if unknown := set(figure.columns) - {FULL} - set(self.variants):
                raise ValueError(f"figures.{name}: unknown variants {sorted(unknown)}")
            if name in self.ablations:
                raise ValueError(f"figures.{name}: a table of ablations has this name; rename one")
        if reserved := [name for name in self.variants if split_name(f"@{name}")[1] != name]:
            raise ValueError(f"variants.{reserved[0]}: `seedN` names the N-th training; rename it")
        if self.classwise is not None:
            if self.classwise.against not in self.variants:
                raise ValueError(f"classwise.against: unknown variant {self.classwise.against!r}")
            parser = self.parts.get(self.classwise.parser)
            if parser is None or not parser.labels or parser.dataset not in (None, 0):
                raise ValueError(
                    "classwise.parser: expected a part that is trained on label maps of the first "
                    f"data set, found {self.classwise.parser!r}"
                )
            if self.classwise.parser not in self.network(str(self.ablated)).uses:
                raise ValueError(f"classwise.parser: {self.ablated} does not use it")
        return self

    @property
    def networks(self) -> dict[str, Network]:
        """Parts and methods that are run here, by name."""
        run = {name: m for name, m in self.methods.items() if isinstance(m, Network)}
        return self.parts | run

    def network(self, name: str) -> Network:
        return self.networks[name]


# -- the profile -----------------------------------------------------------------------------


class Training(Options):
    """What is common to all trainings."""

    log_every: int = Field(ge=1)
    checkpoint_every: int = Field(ge=1)


class Profile(Options):
    """`profiles/NAME.yaml`: data, sizes and schedules.

    Attributes:
        devices: GPUs, or on a CPU processes, of each training; they share its batches.
        precision: `bf16-mixed` runs networks in bfloat16, with weights and losses in float32.
        channels_last: the memory format of a training, which GPUs prefer.
        threads: of each process; the same in both engines, since it decides the last bits.
        perceptual: features of the perceptual and style losses.
        frechet: features of the Fréchet distance; only `inception-v3` makes it FID.
        accepted_licences: the `terms` of sources whose licence its reader accepts.
        downloads: folder of downloaded files; `$NAME` stands for an environment variable.
        methods: the rows of Table 1 that are run.
        variants: the rows of the ablations that are run, besides the method itself.
        seeds: trainings of each method and variant; tables show their mean and spread, figures
            the first. Parts are trained once.
        networks: options of each network, validated by its module.
    """

    description: str
    image_size: int = Field(ge=32)
    device: Literal["cpu", "cuda"]
    devices: int = Field(ge=1)
    precision: Literal["32-true", "bf16-mixed"]
    channels_last: bool
    threads: int = Field(ge=1)
    perceptual: Literal["vgg", "effnet-lite0"]
    frechet: Literal["inception-v3", "effnet-lite0"]
    accepted_licences: Names = ()
    downloads: str = "downloads"
    sources: dict[Name, Source]
    datasets: dict[Name, Dataset]
    holes: Holes
    methods: Names
    variants: Names = ()
    seeds: int = Field(default=1, ge=1)
    training: Training
    completion_batch: int = Field(ge=1)
    networks: dict[Name, dict[str, Any]]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, dataset in self.datasets.items():
            used = [dataset.faces, *([dataset.labels.source] if dataset.labels else [])]
            for source in used:
                if source not in self.images:
                    raise ValueError(f"datasets.{name}: unknown source {source}")
        training = self.holes.training
        for source in [self.holes.source, *([training.source] if training else [])]:
            if source not in self.images:
                raise ValueError(f"holes.source: unknown source {source}")
        if self.frechet == "inception-v3" and INCEPTION not in self.weights:
            raise ValueError(
                f"frechet: inception-v3 needs a source `{INCEPTION}` of kind weights; "
                "profiles/paper.yaml has one"
            )
        return self

    @property
    def images(self) -> dict[str, Source]:
        """Sources of images."""
        return {name: s for name, s in self.sources.items() if s.kind != "weights"}

    @property
    def weights(self) -> dict[str, Source]:
        """Sources of a network's weights; their names are the networks'."""
        return {name: s for name, s in self.sources.items() if s.kind == "weights"}


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
        parts = {name: part for name, part in self.protocol.parts.items() if name in used}
        variants = [self.variant(name) for name in self.profile.variants]
        trainings = [again for name in (*run, *variants) for again in self.trainings(name)]
        return parts | {name: self.network(name) for name in trainings}

    @property
    def trained(self) -> dict[str, Network]:
        """Those that it trains."""
        return {name: network for name, network in self.networks.items() if network.trained}

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
        return f"{self.protocol.ablated}@{name}" if name != FULL else str(self.protocol.ablated)

    def trainings(self, method: str) -> tuple[str, ...]:
        """All trainings of a method or variant: the first has its name, then `NAME@seed2`, …"""
        entry = self.protocol.methods[split_name(method)[0]]
        count = self.profile.seeds if isinstance(entry, Network) and entry.trained else 1
        return (method, *(f"{method}@seed{number}" for number in range(2, count + 1)))

    def seed(self, network: str) -> int:
        """Of its training and of its samples."""
        return self.protocol.seed + split_name(network)[2] - 1

    def network(self, name: str) -> Network:
        """A part, a method, `METHOD@VARIANT`, or a further training of one."""
        base, variant, number = split_name(name)
        network = self.protocol.network(base)
        if variant:
            title = self.protocol.variants[variant].title
            network = network.model_copy(update={"title": title, "dataset": 0})
        if number > 1:
            title = f"{network.title}, training {number}"
            network = network.model_copy(update={"title": title})
        return network

    def options(self, name: str) -> dict[str, Any]:
        """The options of a network as the profile, and the variant, give them."""
        base, variant, _ = split_name(name)
        options = self.profile.networks.get(base, {})
        return _merged(options, self.protocol.variants[variant].options) if variant else options

    @property
    def published_parser(self) -> bool:
        """Whether the face parser takes published weights instead of a training."""
        return bool(self.profile.networks.get("parser", {}).get("published"))

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
    if settings.variants and protocol.ablated not in settings.methods:
        raise UserError(
            f"{path}: variants need {protocol.ablated} itself among the methods; add it"
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
        if split_name(network)[0] not in settings.networks:
            raise UserError(f"{path}: networks.{network} is missing; it gives the training steps")
    if BISENET not in settings.weights and config.published_parser:
        raise UserError(
            f"{path}: networks.parser.published needs a source `{BISENET}` of kind weights; "
            "profiles/paper.yaml has one"
        )
    if unknown := sorted(set(settings.networks) - set(protocol.parts) - set(protocol.methods)):
        raise UserError(f"{path}: networks.{unknown[0]}: {PARAMS} has no such part or method")
    return config


def split_name(network: str) -> tuple[str, str, int]:
    """What `NAME`, `NAME@VARIANT`, `NAME@seed2` and `NAME@VARIANT@seed2` name.

    Returns:
        Part or method, variant (empty: none), and which training it is, from 1.
    """
    name, again, number = network.rpartition("@seed")
    if not (again and number.isdecimal()):
        name, number = network, "1"
    base, _, variant = name.partition("@")
    return base, variant, int(number)


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


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
