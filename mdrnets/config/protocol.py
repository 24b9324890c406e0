"""The protocol, the same for every profile: bins, scores, methods and ablations."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from mdrnets.config.constants import STEPS
from mdrnets.config.data import (
    FROM_LIST,
    Name,
    Names,
    Title,
    refuse_equal_titles,
    refuse_repeated,
)
from mdrnets.config.network_id import NetworkId
from mdrnets.config.options import Options

PARAMS = Path("params.yaml")

PROFILE_NAME = "^[a-z][a-z0-9_-]*$"
ProfileName = Annotated[str, Field(pattern=PROFILE_NAME)]
"""The name of a file in profiles/, and of the folders of its results."""
Steps = Annotated[
    tuple[Annotated[int, Field(ge=1, le=STEPS)], ...],
    Field(min_length=1),
    FROM_LIST,
    AfterValidator(refuse_repeated),
]
BinName = Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9_-]*$")]
"""Part of the paths of external completions, and of the keys of tables."""
Module = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")]


class Network(Options):
    """A method of Table 1 that is run here, or a component of one.

    Attributes:
        title: as printed in tables.
        module: Python module with `Options` and `build`.
        trained: false for a method that has nothing to learn.
        uses: names of the networks that are trained first and then frozen.
        inference_uses: those of `uses` that are also needed for completion.
        dataset: index of the only data set it is trained on; None: it is trained on each data set.
        labels: whether it is trained on label maps.
        weights: the source of the published weights that replace a training if the option
            `published` is set.
        memory: whether its memory, and the parser that selects from it, can be inspected.
    """

    title: Title
    module: Module
    trained: bool = True
    uses: Names = ()
    inference_uses: Names = ()
    dataset: int | None = None
    labels: bool = False
    weights: Name | None = None
    memory: bool = False


class External(Options):
    """A row of Table 1 whose completions were made by other software.

    Attributes:
        title: as printed in tables.
        completions: a folder or zip archive of `BIN/IMAGE.png`; `{dataset}` is replaced by the
            name of the data set and `$NAME` from the environment.
    """

    title: Title
    completions: str


class Variant(Options):
    """The paper's method with changed options: a row of an ablation.

    Attributes:
        title: as printed in tables.
        options: override the options of the method; nested mappings are merged.
    """

    title: Title
    options: dict[str, Any]


class Ablation(Options):
    """A table of variants and the full method, on the first data set.

    Attributes:
        title: as printed above the table.
        rows: variants, in order; `full` is the full method.
        claims: orders that the paper claims, each from the best to the worst row.
    """

    title: Title
    rows: Names
    claims: Annotated[tuple[Names, ...], FROM_LIST] = ()


class PerClass(Options):
    """The claim about semantic classes that are entirely in the hole.

    Attributes:
        baseline: the variant that the method is compared with.
        parser: the component that predicts the classes of images without label maps.
        min_images: smallest number of images for a statistical test.
    """

    baseline: Name
    parser: Name
    min_images: int = Field(ge=1)


class AblationFigure(Options):
    """Completions of variants side by side, on the first data set.

    Attributes:
        title: as printed below the figure.
        columns: variants, in order; `full` is the full method.
    """

    title: Title
    columns: Names


FULL = "full"
"""The name of the full method in lists of variants."""


def _kind_of_method(value: Any) -> str:
    external = isinstance(value, External) or (isinstance(value, dict) and "completions" in value)
    return "external" if external else "network"


AnyMethod = Annotated[
    Annotated[Network, Tag("network")] | Annotated[External, Tag("external")],
    Discriminator(_kind_of_method),
]


class Bootstrap(Options):
    """Bootstrap intervals of Table 1.

    Attributes:
        resamples: number of resamples of the images.
        confidence: of the intervals, for example 0.95.
    """

    resamples: int = Field(ge=100)
    confidence: float = Field(gt=0, lt=1)


class Frechet(Options):
    """Interval and test of the Fréchet distance.

    Attributes:
        resamples: number of resamples of the delete-d jackknife.
        permutations: number of permutations of the label-swap test of two methods.
    """

    resamples: int = Field(ge=10)
    permutations: int = Field(ge=19)


class PaperScale(Options):
    """What a run needs, besides real faces, to decide the paper's claims.

    Attributes:
        image_size: width and height in pixels.
        frechet: features of the Fréchet distance that is FID.
        epochs: of the training of the paper's method.
        training_images: images of an epoch.
        batch_size: images of a step, unless the profile sets another.
        min_share: smallest share of the images of that training that a run must see.
    """

    image_size: int = Field(ge=1)
    frechet: Literal["inception-v3"]
    epochs: int = Field(ge=1)
    training_images: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    min_share: float = Field(gt=0, le=1)


class Protocol(Options):
    """`params.yaml`: the settings that are the same for every profile.

    Attributes:
        profile: the profile of commands that name no other.
        seed: of trainings, splits, the assignment of holes, samples and intervals.
        bins: the bins of Table 1, each as its steps of 10 % of the hole ratio; step 1 is (0, 10] %.
        ssim: variant of the structural similarity.
        bootstrap: the intervals of means over images.
        frechet: interval and test of the Fréchet distance.
        paper_scale: what a run needs to decide the paper's claims.
        components: networks that methods build on, by name; they are trained first.
        methods: the rows of Table 1, by name.
        ablation_base: the method that `variants` change.
        variants: rows of ablations, by name.
        ablations: tables of variants, by name of the output.
        figures: completions of variants side by side, by name of the output.
        per_class: the claim about classes that are entirely in the hole; none: it is not tested.
    """

    profile: ProfileName
    seed: int = Field(ge=0)
    bins: Annotated[dict[BinName, Steps], Field(min_length=1)]
    ssim: Literal["gaussian11_rgb", "uniform7_rgb", "gaussian11_luma"]
    bootstrap: Bootstrap
    frechet: Frechet
    paper_scale: PaperScale
    components: dict[Name, Network]
    methods: dict[Name, AnyMethod]
    ablation_base: Name | None = None
    variants: dict[Name, Variant] = Field(default_factory=dict)
    ablations: dict[Name, Ablation] = Field(default_factory=dict)
    figures: dict[Name, AblationFigure] = Field(default_factory=dict)
    per_class: PerClass | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        bins = [name.lower() for name in self.bins]
        if len(set(bins)) < len(bins):
            raise ValueError("bins: found names that differ only in case; rename one of them")
        for name, method in self.methods.items():
            if name in self.components:
                raise ValueError(f"methods.{name}: `components` has the same name; rename one")
            if isinstance(method, Network):
                self._check_network(f"methods.{name}", method)
                if method.dataset is not None:
                    raise ValueError(
                        f"methods.{name}.dataset: only for components, since Table 1 has each "
                        "method on each data set; remove it"
                    )
                if method.memory and not method.trained:
                    raise ValueError(f"methods.{name}.memory: requires a training; remove it")
        for name, component in self.components.items():
            self._check_network(f"components.{name}", component)
            if not component.trained:
                raise ValueError(f"components.{name}.trained: expected true; remove it")
            if component.uses:
                raise ValueError(f"components.{name}.uses: only for methods; remove it")
            if component.memory:
                raise ValueError(f"components.{name}.memory: only for methods; remove it")
        if self.variants or self.ablation_base is not None:
            base = self.methods.get(str(self.ablation_base))
            if not isinstance(base, Network) or not base.trained:
                raise ValueError(
                    f"ablation_base: found {self.ablation_base!r}, expected a method that is "
                    "trained here; correct the name"
                )
        if FULL in self.variants:
            raise ValueError(f"variants.{FULL}: the name of the method itself; rename it")
        for name, ablation in self.ablations.items():
            if unknown := set(ablation.rows) - {FULL} - set(self.variants):
                raise ValueError(
                    f"ablations.{name}.rows: {sorted(unknown)} are not in `variants`; add them"
                )
            if unknown := {row for claim in ablation.claims for row in claim} - set(ablation.rows):
                raise ValueError(
                    f"ablations.{name}.claims: {sorted(unknown)} are not in `rows`; add them"
                )
        for name, figure in self.figures.items():
            if unknown := set(figure.columns) - {FULL} - set(self.variants):
                raise ValueError(
                    f"figures.{name}.columns: {sorted(unknown)} are not in `variants`; add them"
                )
            if name in self.ablations:
                raise ValueError(
                    f"figures.{name}: `ablations` has the same name; rename one of them"
                )
        for name in self.variants:
            if NetworkId.parse(f"@{name}").variant != name:
                raise ValueError(
                    f"variants.{name}: `seedN` is reserved for the N-th training; rename it"
                )
        if self.per_class is not None:
            if self.per_class.baseline not in self.variants:
                raise ValueError(
                    f"per_class.baseline: {self.per_class.baseline!r} is not a variant; correct it"
                )
            parser = self.components.get(self.per_class.parser)
            if parser is None or not parser.labels or parser.dataset not in (None, 0):
                raise ValueError(
                    f"per_class.parser: found {self.per_class.parser!r}, expected a component that "
                    "is trained on the label maps of the first data set; correct the name"
                )
            if self.per_class.parser not in self.networks[str(self.ablation_base)].uses:
                raise ValueError(
                    f"per_class.parser: not used by {self.ablation_base}; add it to `uses`"
                )
        refuse_equal_titles(
            {
                f"{section}.{name}.title": entry.title
                for section in ("components", "methods", "variants")
                for name, entry in getattr(self, section).items()
            }
        )
        return self

    def _check_network(self, key: str, network: Network) -> None:
        if unknown := set(network.uses) - set(self.components):
            raise ValueError(
                f"{key}.uses: {sorted(unknown)} are not in `components`; correct the names"
            )
        if unknown := set(network.inference_uses) - set(network.uses):
            raise ValueError(
                f"{key}.inference_uses: {sorted(unknown)} are not in `uses`; add them there"
            )

    @property
    def networks(self) -> dict[str, Network]:
        """Components and methods that are run here, by name."""
        run = {name: m for name, m in self.methods.items() if isinstance(m, Network)}
        return self.components | run

    @property
    def largest_bin(self) -> str:
        """The bin with the largest holes."""
        return max(self.bins, key=lambda name: max(self.bins[name]))
