"""What a profile says of its data: where images come from, and what each is for."""

from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, model_validator

from mdrnets.config.options import Options

Role = Literal["train", "validation", "test", "unused"]


def as_tuple(value: Any) -> Any:
    """YAML has lists only."""
    return tuple(value) if isinstance(value, list) else value


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Names = Annotated[tuple[Name, ...], BeforeValidator(as_tuple)]
Address = Annotated[str, Field(pattern="^https?://")]
Addresses = Annotated[
    tuple[Address, ...],
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else tuple(value)),
]
White = Literal["hole", "valid"]
"""What white means in a mask: never assumed, and checked against the areas."""


class Source(Options):
    """Where images or weights come from: the project, a local path, or an address.

    Attributes:
        kind: `images`: an archive or folder of them. `weights`: a network's, one file.
            `ffhq_metadata`: FFHQ's list of its images, which are fetched one by one.
        path: a local file or folder; `$NAME` stands for an environment variable. Without `path` and
            `url`: the archive of the source's name in `data/`.
        url: addresses of one file, tried in their order.
        file: its name in the profile's folder of downloads; by default as the first address ends.
        bytes: its exact size; None: as the server says.
        sha256: of the file as it comes, whole or its first digits; of a folder: of the archive that
            is packed from it. None, with no `md5` either: of a local file, not checked; of an
            address, that of the first download is kept and compared with later ones.
        md5: of the file as it comes, where its publisher gives that.
        folder: images are those below this folder, at any depth (`.`: all), and nothing else is
            looked at. None: the files lie side by side, images alone.
        shrink: scale images down to this many pixels while packing them; None: keep them.
        files: how many images there must be; None: not counted.
        licence: as the report prints it.
        terms: name of the licence in the profile's `accepted_licences`, without which nothing is
            fetched; None: nothing to accept.
    """

    kind: Literal["images", "weights", "ffhq_metadata"] = "images"
    path: str | None = None
    url: Addresses = ()
    file: Annotated[str, Field(pattern=r"^[\w.-]+$")] | None = None
    bytes: Annotated[int, Field(ge=1)] | None = None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{8,64}$")] | None = None
    md5: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] | None = None
    folder: str | None = None
    shrink: Annotated[int, Field(ge=32)] | None = None
    files: Annotated[int, Field(ge=1)] | None = None
    licence: str
    terms: Name | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.path is not None and self.url:
            raise ValueError("path and url exclude each other; keep one")
        if self.url and "." not in self.file_name:
            raise ValueError("file: the address does not end in a file name; give one")
        if self.kind == "ffhq_metadata" and not self.url:
            raise ValueError("url: kind ffhq_metadata needs one; a folder has kind images")
        if self.shrink is not None and self.kind == "images" and self.folder is None:
            raise ValueError("shrink needs `folder` (`.` for all images)")
        return self

    @property
    def file_name(self) -> str:
        """Of the downloaded file."""
        return self.file or urlsplit(self.url[0]).path.rpartition("/")[2]


class Labels(Options):
    """Where a data set's label maps are; they need not exist for every image.

    Attributes:
        classes: what the files are: `mdrnets14` and `celebamask19`, maps of class ids;
            `celebamask_parts`, a mask for each part of a face (`NNNNN_part.png`).
    """

    source: Name
    classes: Literal["mdrnets14", "celebamask19", "celebamask_parts"]


class Split(Options):
    """Which images are test and validation images; all others train.

    Attributes:
        rule: `last`: the last `test` names are test images. `celebahq`: images whose name is an
            id of the DeepFillv2 test list, and every `test_every`-th of the other ids.
        test: number of test images (`last`).
        test_every: see `rule` (`celebahq`); None: the list alone.
        validation: number of training images, drawn by seed, that are kept out of training.
    """

    rule: Literal["last", "celebahq"]
    test: Annotated[int, Field(ge=1)] | None = None
    test_every: Annotated[int, Field(ge=2)] | None = None
    validation: int = Field(ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.rule == "last") != (self.test is not None):
            raise ValueError("split.test belongs to the rule `last`, and to no other")
        return self


class Dataset(Options):
    """One data set of Table 1.

    Attributes:
        title: as printed; says "rendered" where the faces are.
        published_as: the published data set beside which its numbers are printed.
    """

    title: str
    published_as: Literal["CelebA-HQ", "FFHQ"]
    faces: Name
    labels: Labels | None = None
    split: Split


class TrainingHoles(Options):
    """Masks that are for training alone, of any area.

    Attributes:
        white: what white means in them.
        threshold: what is brighter, of 0 to 1, is white.
    """

    source: Name
    white: White
    threshold: float = Field(gt=0, lt=1)


class Holes(Options):
    """The hole masks: files whose number tells their 10 % step.

    Attributes:
        per_step: file number // per_step is the step, from 0.
        white: what white means in them.
        train, validation, test: share of each step's files in each role.
        training: masks of another source, which train in place of a share of these.
    """

    source: Name
    per_step: int = Field(ge=1)
    white: White = "hole"
    train: Annotated[float, Field(gt=0, lt=1)] | None = None
    training: TrainingHoles | None = None
    validation: float = Field(ge=0, lt=1)
    test: float = Field(gt=0, le=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.train is None) == (self.training is None):
            raise ValueError("holes: give the share `train`, or masks of their own as `training`")
        if abs((self.train or 0) + self.validation + self.test - 1) > 1e-9:
            raise ValueError("holes: the shares train + validation + test must be 1")
        return self
