"""What a machine affords: data, sizes and schedules."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from mdrnets.config.data import Dataset, Holes, Name, Names, Source
from mdrnets.config.options import Options

VGG = ("vgg16", "vgg19")
INCEPTION = "inception_v3"
"""Networks whose weights are published, as the sources of them are named."""


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
    def first_dataset(self) -> str:
        """The data set of the ablations and of the claims about semantic classes."""
        return next(iter(self.datasets))

    @property
    def images(self) -> dict[str, Source]:
        """Sources of images."""
        return {name: s for name, s in self.sources.items() if s.kind != "weights"}

    @property
    def weights(self) -> dict[str, Source]:
        """Sources of a network's weights; their names are the networks'."""
        return {name: s for name, s in self.sources.items() if s.kind == "weights"}
