"""What holds for every profile: bins, scores, methods, and the variants of the ablations."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from mdrnets.config.data import Name, Names, as_tuple
from mdrnets.config.network_id import NetworkId
from mdrnets.config.options import Options

STEPS = 6
"""Hole ratios come in steps of 10 %: step 1 is (0, 10] %, step 6 (50, 60] %."""

Numbers = Annotated[tuple[int, ...], BeforeValidator(as_tuple)]


class Network(Options):
    """A row of Table 1 that is run here, or a part that a row builds on.

    Attributes:
        title: as printed in tables.
        module: Python module with `Options` and `build`.
        trained: false for a method that has nothing to learn.
        uses: networks that are trained first and frozen, by name.
        inference_uses: those of `uses` that completion needs as well.
        dataset: position of the one data set that it is trained on; None: each its own.
        labels: whether it is trained on label maps.
        weights: the source of published weights that its option `published` takes instead of a
            training.
        memory: whether its memory, and the parser that it reads by, can be inspected.
    """

    title: str
    module: str
    trained: bool = True
    uses: Names = ()
    inference_uses: Names = ()
    dataset: int | None = None
    labels: bool = False
    weights: Name | None = None
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
    claims: Annotated[tuple[Names, ...], BeforeValidator(as_tuple)] = ()


class PerClass(Options):
    """The claim about semantic classes that are entirely in the hole.

    Attributes:
        baseline: the variant that the method is compared with.
        parser: the part that tells the classes of images without annotation.
        min_pairs: images with holes that a test needs.
    """

    baseline: Name
    parser: Name
    min_pairs: int = Field(ge=1)


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
PAPERS_METHOD = "mdrnets"
"""The method that the paper proposes, as reports/published/ and params.yaml name it."""


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
    components: dict[Name, Network]
    methods: dict[Name, AnyMethod]
    ablation_base: Name | None = None
    variants: dict[Name, Variant] = Field(default_factory=dict)
    ablations: dict[Name, Ablation] = Field(default_factory=dict)
    figures: dict[Name, AblationFigure] = Field(default_factory=dict)
    per_class: PerClass | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, numbers in self.bins.items():
            if not numbers or not all(1 <= number <= STEPS for number in numbers):
                raise ValueError(f"bins.{name}: expected 10 % steps from 1 to {STEPS}")
        for name, network in self.networks.items():
            if unknown := set(network.uses) - set(self.components):
                raise ValueError(f"{name}.uses: unknown parts {sorted(unknown)}")
            if unknown := set(network.inference_uses) - set(network.uses):
                raise ValueError(f"{name}.inference_uses: not in uses: {sorted(unknown)}")
        if self.variants and self.ablation_base not in self.networks:
            raise ValueError(f"ablation_base: unknown method {self.ablation_base!r}")
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
        if reserved := [
            name for name in self.variants if NetworkId.parse(f"@{name}").variant != name
        ]:
            raise ValueError(f"variants.{reserved[0]}: `seedN` names the N-th training; rename it")
        if self.per_class is not None:
            if self.per_class.baseline not in self.variants:
                raise ValueError(f"per_class.baseline: unknown variant {self.per_class.baseline!r}")
            parser = self.components.get(self.per_class.parser)
            if parser is None or not parser.labels or parser.dataset not in (None, 0):
                raise ValueError(
                    "per_class.parser: expected a part that is trained on label maps of the first "
                    f"data set, found {self.per_class.parser!r}"
                )
            if self.per_class.parser not in self.network(str(self.ablation_base)).uses:
                raise ValueError(f"per_class.parser: {self.ablation_base} does not use it")
        return self

    @property
    def networks(self) -> dict[str, Network]:
        """Parts and methods that are run here, by name."""
        run = {name: m for name, m in self.methods.items() if isinstance(m, Network)}
        return self.components | run

    def network(self, name: str) -> Network:
        return self.networks[name]

    @property
    def largest_bin(self) -> str:
        """The bin with the largest holes."""
        return max(self.bins, key=lambda name: max(self.bins[name]))
