"""The number of images of a profile and the bytes of its arrays, before they exist."""

from collections.abc import Mapping
from dataclasses import dataclass

from mdrnets.config.data import Dataset
from mdrnets.config.load import Config
from mdrnets.data.dataset import SPLIT_COLUMNS
from mdrnets.data.splits import TEST_IDS
from mdrnets.errors import UserError
from mdrnets.files.tables import read_table
from mdrnets.layout import Layout

CELEBAHQ = 30_000
"""Images of the whole data set, from which the list of test images was drawn."""


@dataclass(frozen=True)
class Images:
    """Numbers of images of one data set.

    Attributes:
        all: in all roles.
        train: for training.
        labelled: for training, with a label map.
        test: for testing; each is completed once in each bin.
    """

    all: int
    train: int
    labelled: int
    test: int


def count_images(config: Config, layout: Layout, name: str) -> Images:
    """Count the images of a data set in its split table or, before that exists, by the profile."""
    if layout.split(name).is_file():
        rows = read_table(layout.split(name), SPLIT_COLUMNS)
        training = [row for row in rows if row["role"] == "train"]
        return Images(
            all=len(rows),
            train=len(training),
            labelled=sum(row["labelled"] == "1" for row in training),
            test=sum(row["role"] == "test" for row in rows),
        )
    dataset = config.profile.datasets[name]
    faces = _files(config, dataset.faces)
    test = _expected_tests(dataset, faces)
    train = faces - test - dataset.split.validation
    labelled = 0
    if dataset.labels:
        maps = config.profile.sources[dataset.labels.source].files or faces
        labelled = round(train * min(1, maps / faces))
    return Images(all=faces, train=train, labelled=labelled, test=test)


def count_steps(config: Config, network: str, images: Images) -> int:
    """Count the steps of all phases of a training; imports the network's module for its defaults.

    Args:
        config: protocol and profile.
        network: that is trained.
        images: of its data set, from which epochs are converted.
    """
    from mdrnets.methods.building import resolved_options

    count = images.labelled if config.network(network).labels else images.train
    steps: int = resolved_options(config, network, images=count).model_dump()["steps"]
    return steps


def packed_bytes(config: Config, images: Mapping[str, Images]) -> dict[str, int]:
    """Return the bytes of the arrays that the pack stages make, by their content."""
    pixels = config.profile.image_size**2
    sizes = {}
    for name, dataset in config.profile.datasets.items():
        sizes[f"images of {name}"] = 3 * pixels * images[name].all
        if dataset.labels:
            maps = config.profile.sources[dataset.labels.source].files or images[name].all
            sizes[f"label maps of {name}"] = pixels * maps
    sources = config.profile.holes.sources.values()
    sizes["holes"] = pixels * sum(_files(config, source) for source in sources)
    return sizes


def completion_bytes(config: Config, images: Images) -> int:
    """Return the bytes of a method's completions on one data set: composites and raw outputs."""
    return 2 * 3 * config.profile.image_size**2 * images.test * len(config.protocol.bins)


def mean_hole(steps: tuple[int, ...]) -> float:
    """Return the mean hole ratio of a bin of 10 % steps."""
    return sum((step - 0.5) / 10 for step in steps) / len(steps)


def _expected_tests(dataset: Dataset, faces: int) -> int:
    if dataset.split.test is not None:
        return dataset.split.test
    listed = len(TEST_IDS.read_text(encoding="ascii").split()) * faces // CELEBAHQ
    others = dataset.split.test_every
    return listed + ((faces - listed) // others if others else 0)


def _files(config: Config, source: str) -> int:
    files = config.profile.sources[source].files
    if files is None:
        key = config.locate(f"sources.{source}.files")
        raise UserError(
            f"{key}: missing, expected the number of images, from which the plan is made; add it"
        )
    return files
