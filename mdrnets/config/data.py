"""The data of a profile: sources, data sets, splits and hole masks."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import PurePath
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    Strict,
    model_validator,
)

from mdrnets.config.options import Options
from mdrnets.config.redaction import redact_urls

Role = Literal["train", "validation", "test", "unused"]


def refuse_repeated(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if repeated := [value for value, count in Counter(values).items() if count > 1]:
        raise ValueError(f"found {repeated[0]} twice; remove one of them")
    return values


def refuse_equal_titles(titles: Mapping[str, str]) -> None:
    """Raise ValueError if two keys have one title: tables and figures tell rows by their titles."""
    keys: dict[str, str] = {}
    for key, title in titles.items():
        if (other := keys.setdefault(title, key)) != key:
            raise ValueError(f"{key}: found {title}, as {other} has; change one of them")


def _check_address(url: str) -> str:
    try:
        parts = urlsplit(url)  # refuses such as `http://[1`
        if parts.hostname and (parts.port is None or parts.port > 0):  # `port` refuses letters
            return url
    except ValueError:
        pass  # Python's message may contain the password
    raise ValueError("expected a host; correct the URL, with %2F for / and %3F for ? in a password")


FROM_LIST = Strict(False)
"""Lets a tuple be read from a list, since YAML has no tuples."""
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Names = Annotated[tuple[Name, ...], FROM_LIST, AfterValidator(refuse_repeated)]
"""Different names."""
Title = Annotated[str, Field(pattern=r"^[^\n]*\S[^\n]*$")]
"""One line, as printed in tables."""
Address = Annotated[
    str,
    Field(pattern=r"^https?://[^\s/]\S*$"),
    AfterValidator(_check_address),
    PlainSerializer(redact_urls),
]
"""A URL. Its secrets are missing in dumps of the configuration, from which records are made."""
Addresses = Annotated[
    tuple[Address, ...],
    FROM_LIST,
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
]
FILE_NAME = r"^[\w-][\w.-]*$"
Polarity = Literal["white_is_hole", "white_is_valid"]
"""What white means in a mask. It is never guessed; the holes' areas are checked against it."""


class Source(Options):
    """Where images or weights come from: the project, a local path, or a URL.

    Attributes:
        kind: `images`: an archive or folder of images. `weights`: one file with the weights of a
            network. `ffhq_metadata`: FFHQ's list of images, which are downloaded one by one.
        path: a local file or folder; `$NAME` is replaced from the environment. Without `path` and
            `url`, the source is the archive `samples/archives/NAME.zip`, of which both engines
            make a copy in `data/`.
        url: one or more URLs of the same file, tried in order.
        file: name of the downloaded file; default: the last part of the first URL.
        bytes: exact size of the file; None: the size that the server reports.
        sha256: hash of the original file; for a folder, hash of the archive that is packed from
            it. Without `sha256` and `md5`, a local file is not checked, and for a URL the hash of
            the first download is stored and compared with later ones.
        md5: hash of the original file, if the publisher gives an MD5.
        folder: use only the images below this folder, at any depth (`.`: all images), and ignore
            all other files. None: the archive is flat and contains only images.
        numbers: path in the project of a list of numbers, one a line: use only the images whose
            names begin with one of them. None: all images.
        downscale: width and height in pixels to which larger images are scaled down; None: keep
            their size.
        files: expected number of images; None: any number.
        licence: printed in the report.
        terms: name of the licence, which must be listed in `accepted_licences` of the profile
            before anything is downloaded; None: no licence to accept.
    """

    kind: Literal["images", "weights", "ffhq_metadata"] = "images"
    path: str | None = None
    url: Addresses = ()
    file: Annotated[str, Field(pattern=FILE_NAME)] | None = None
    bytes: Annotated[int, Field(ge=1)] | None = None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    md5: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] | None = None
    folder: str | None = None
    numbers: str | None = None
    downscale: Annotated[int, Field(ge=32)] | None = None
    files: Annotated[int, Field(ge=1)] | None = None
    licence: str
    terms: Name | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.path is not None and self.url:
            raise ValueError("found both `path` and `url`, expected one of them; remove one")
        if self.url and not ("." in self.file_name and re.match(FILE_NAME, self.file_name)):
            raise ValueError("file: the URL does not end in a file name; add `file`")
        if self.kind == "weights" and self.path is None and not self.url:
            raise ValueError("path: kind weights requires `path` or `url`; add one")
        if self.kind == "ffhq_metadata" and not self.url:
            raise ValueError("url: required by kind ffhq_metadata; add it, or use kind images")
        for key in ("downscale", "numbers"):
            if getattr(self, key) is not None and (self.kind, self.folder) == ("images", None):
                raise ValueError(f"folder: required by `{key}`; add it (`.` for all images)")
        if self.numbers is not None and self.kind == "weights":
            raise ValueError("numbers: not allowed by kind weights; remove it")
        return self

    @property
    def file_name(self) -> str:
        """The name of the downloaded file."""
        return self.file or urlsplit(self.url[0]).path.rpartition("/")[2]

    @property
    def downloaded_name(self) -> str:
        """The name of what is in `downloads`: the file, or the folder of the listed images."""
        if self.kind != "ffhq_metadata":
            return self.file_name
        stem = PurePath(self.file_name).stem
        return stem if self.downscale is None else f"{stem}_{self.downscale}"


class Labels(Options):
    """The label maps of a data set. Some images may have none.

    Attributes:
        source: a source of images.
        classes: format of the files. `mdrnets14` and `celebamask19` are maps of class ids;
            `celebamask_parts` has one mask for each part of a face (`NNNNN_part.png`).
    """

    source: Name
    classes: Literal["mdrnets14", "celebamask19", "celebamask_parts"]


class Split(Options):
    """Which images are for test and validation; all others are for training.

    Attributes:
        rule: `last`: the last `test` images in the order of their names. `celebahq`: images whose
            id is in the DeepFillv2 test list, and every `test_every`-th of the other ids.
        test: number of test images (rule `last`).
        test_every: see `rule` (rule `celebahq`); None: only the list.
        validation: number of images that are drawn by seed and kept out of training.
    """

    rule: Literal["last", "celebahq"]
    test: Annotated[int, Field(ge=1)] | None = None
    test_every: Annotated[int, Field(ge=2)] | None = None
    validation: int = Field(ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.rule == "last") != (self.test is not None):
            raise ValueError("test: required by rule `last` and not allowed by others; correct it")
        if self.rule == "last" and self.test_every is not None:
            raise ValueError("test_every: not allowed by rule `last`; remove it")
        return self


class Dataset(Options):
    """One data set of Table 1.

    Attributes:
        title: as printed in tables; contains "rendered" if the faces are rendered.
        published_as: the data set of the paper whose published numbers are printed next to it.
        faces: a source of images.
        labels: the label maps; None: it has none.
        split: which images are for test and validation.
    """

    title: Title
    published_as: Literal["CelebA-HQ", "FFHQ"]
    faces: Name
    labels: Labels | None = None
    split: Split

    @property
    def rendered(self) -> bool:
        """Whether the faces are drawn by a computer."""
        return "rendered" in self.title.lower()


class TrainingHoles(Options):
    """Masks of any area that are used only for training.

    Attributes:
        source: a source of images.
        polarity: what white means in them.
        threshold: pixels brighter than this share of 255 are white.
    """

    source: Name
    polarity: Polarity
    threshold: float = Field(gt=0, lt=1)


class Holes(Options):
    """The hole masks. The number of a file gives its 10 % step.

    Attributes:
        source: a source of images.
        per_step: file number // per_step is the step, counted from 0.
        polarity: what white means in them.
        train, validation, test: share of the files of each step.
        training: masks of another source for training, instead of the share `train`.
    """

    source: Name
    per_step: int = Field(ge=1)
    polarity: Polarity = "white_is_hole"
    train: Annotated[float, Field(gt=0, lt=1)] | None = None
    training: TrainingHoles | None = None
    validation: float = Field(ge=0, lt=1)
    test: float = Field(gt=0, le=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.train is None) == (self.training is None):
            raise ValueError("expected either `train` or `training`; keep one of them")
        if abs((self.train or 0) + self.validation + self.test - 1) > 1e-9:
            raise ValueError("expected train + validation + test = 1; correct the shares")
        return self

    @property
    def sources(self) -> dict[str, str]:
        """The source of each key that names one: of all masks, and of those for training."""
        own = {"source": self.source}
        return own | ({"training.source": self.training.source} if self.training else {})
