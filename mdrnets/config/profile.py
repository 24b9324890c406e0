"""The profile: the settings that depend on the machine, such as data, sizes and schedules."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from mdrnets.config.data import Dataset, Holes, Name, Names, Source, refuse_equal_titles
from mdrnets.config.options import Options

VGG = ("vgg16", "vgg19")
INCEPTION = "inception_v3"
"""The source of the weights of Inception v3; `VGG` are those of the VGG networks."""


class Training(Options):
    """Settings of every training.

    Attributes:
        log_every, checkpoint_every: steps between two rows of the history, two saved states.
        loader_threads: threads that prepare the batches of coming steps; 0 prepares each between
            two steps. No result depends on it.
    """

    log_every: int = Field(ge=1)
    checkpoint_every: int = Field(ge=1)
    loader_threads: int = Field(default=0, ge=0)


class Profile(Options):
    """`profiles/NAME.yaml`: data, sizes and schedules.

    Attributes:
        description: one line about the profile.
        image_size: width and height in pixels.
        device: what trainings and completions run on.
        devices: number of GPUs (or processes on a CPU) that share the batches of a training.
        jobs_per_gpu: number of jobs that compute on one GPU at once, where its memory is enough for
            all of them. No result depends on it.
        precision: `bf16-mixed` runs networks in bfloat16, with weights and losses in float32.
        deterministic: whether GPUs use deterministic operations where there are any, which costs
            time and memory. False costs repeatability: the same training gives other last digits
            each time, also when it is resumed. CPUs are always deterministic.
        compile: whether networks are compiled (`torch.compile`): the first steps of each network
            take minutes, and results differ in the last digits.
        channels_last: whether training uses the channels-last memory format, faster on GPUs.
        threads: CPU threads of each process. Results depend on it in the last bits.
        perceptual: feature network of the perceptual and style losses.
        frechet: feature network of the Fréchet distance, which is FID only with `inception-v3`.
        accepted_licences: the `terms` of sources whose licence you accept.
        downloads: folder of downloaded files; `$NAME` is replaced from the environment.
        sources: where images and weights come from, by name.
        datasets: the data sets of Table 1, by name.
        holes: the hole masks.
        methods: the rows of Table 1 to run.
        variants: the rows of the ablations to run, besides the full method.
        seeds: number of trainings of each method and variant. Tables show their mean and spread,
            figures the first one. Components are trained once.
        training: how trainings log, save and load.
        completion_batch: number of images that are completed at once.
        networks: options of each network, validated by its module.
    """

    description: str
    image_size: int = Field(ge=32)
    device: Literal["cpu", "cuda"]
    devices: int = Field(ge=1)
    jobs_per_gpu: int = Field(default=1, ge=1)
    precision: Literal["32-true", "bf16-mixed"]
    deterministic: bool = True
    compile: bool = False
    channels_last: bool
    threads: int = Field(ge=1)
    perceptual: Literal["vgg", "effnet-lite0"]
    frechet: Literal["inception-v3", "effnet-lite0"]
    accepted_licences: Names = ()
    downloads: str = "downloads"
    sources: dict[Name, Source]
    datasets: Annotated[dict[Name, Dataset], Field(min_length=1)]
    holes: Holes
    methods: Annotated[Names, Field(min_length=1)]
    variants: Names = ()
    seeds: int = Field(default=1, ge=1)
    training: Training
    completion_batch: int = Field(ge=1)
    networks: dict[Name, dict[str, Any]]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = {f"holes.{key}": source for key, source in self.holes.sources.items()}
        for name, dataset in self.datasets.items():
            names[f"datasets.{name}.faces"] = dataset.faces
            if dataset.labels:
                names[f"datasets.{name}.labels.source"] = dataset.labels.source
        for key, source in names.items():
            if source not in self.images:
                raise ValueError(f"{key}: {source} is not a source of images; add it to `sources`")
        for name, archive in self.images.items():
            if archive.downscale is not None and archive.downscale < self.image_size:
                raise ValueError(
                    f"sources.{name}.downscale: found {archive.downscale}, expected at least "
                    f"image_size, {self.image_size}; increase it"
                )
        refuse_equal_titles({f"datasets.{n}.title": d.title for n, d in self.datasets.items()})
        urls: dict[str, tuple[str, ...]] = {}
        for name, downloaded in self.sources.items():
            url = downloaded.url
            if url and urls.setdefault(downloaded.file_name.lower(), url) != url:
                raise ValueError(
                    f"sources.{name}.file: found {downloaded.file_name}, which another source "
                    "downloads from another URL; rename one of them"
                )
        if self.frechet == "inception-v3" and INCEPTION not in self.weights:
            raise ValueError(
                f"frechet: inception-v3 requires a source `{INCEPTION}` of kind weights; copy it "
                "from profiles/paper.yaml"
            )
        return self

    @property
    def first_dataset(self) -> str:
        """The data set of the ablations and of the claims about semantic classes."""
        return next(iter(self.datasets))

    @property
    def images(self) -> dict[str, Source]:
        """The sources that contain images."""
        return {name: s for name, s in self.sources.items() if s.kind != "weights"}

    @property
    def weights(self) -> dict[str, Source]:
        """The sources that contain weights, by the name of the network."""
        return {name: s for name, s in self.sources.items() if s.kind == "weights"}
