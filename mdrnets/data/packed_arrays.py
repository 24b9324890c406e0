"""The packed arrays of a profile: a data set's images and label maps, and the hole masks."""

from contextlib import ExitStack

from mdrnets.config.load import Config
from mdrnets.data.dataset import HOLE_SPLIT_COLUMNS, SPLIT_COLUMNS
from mdrnets.data.packing import pack_holes, pack_images, pack_labels
from mdrnets.data.progress import ProgressBar
from mdrnets.data.sources import open_source
from mdrnets.data.training_holes import PREFIX
from mdrnets.files.tables import read_table
from mdrnets.layout import Layout


def pack_array(
    config: Config, layout: Layout, what: str, dataset: str | None, progress: ProgressBar
) -> None:
    """Write one array, with rows in the order of its split table.

    Args:
        config: protocol and profile.
        layout: the paths of the profile's files.
        what: `images` or `labels`, of a data set, or `holes`.
        dataset: its name; None for `holes`.
        progress: counts images.

    Raises:
        UserError: an archive differs from the split table, or one of its files is unusable.
    """
    if dataset is None:
        _pack_holes(config, layout, progress)
    else:
        pack = {"images": _pack_images, "labels": _pack_labels}[what]
        pack(config, layout, dataset, progress)


def _pack_images(config: Config, layout: Layout, name: str, progress: ProgressBar) -> None:
    profile, table = config.profile, layout.split(name)
    rows = read_table(table, SPLIT_COLUMNS)
    ids = [row["id"] for row in rows]
    with open_source(config, layout, profile.datasets[name].faces) as faces:
        faces.check_same_members(ids, table)
        pack_images(
            layout.images(name),
            faces,
            ids,
            roles=[row["role"] for row in rows],
            size=profile.image_size,
            progress=progress,
        )


def _pack_labels(config: Config, layout: Layout, name: str, progress: ProgressBar) -> None:
    profile = config.profile
    dataset, table = profile.datasets[name], layout.split(name)
    assert dataset.labels is not None  # otherwise the profile does not have this stage
    ids = [row["id"] for row in read_table(table, SPLIT_COLUMNS) if row["labelled"] == "1"]
    with (
        open_source(config, layout, dataset.labels.source) as labels,
        open_source(config, layout, dataset.faces) as faces,
    ):
        if dataset.labels.classes != "celebamask_parts":
            labels.check_same_members(ids, table)
        pack_labels(
            layout.labels(name),
            labels,
            faces,
            ids,
            classes=dataset.labels.classes,
            size=profile.image_size,
            progress=progress,
        )


def _pack_holes(config: Config, layout: Layout, progress: ProgressBar) -> None:
    profile, table = config.profile, layout.hole_split()
    rows = read_table(table, HOLE_SPLIT_COLUMNS)
    steps = [(row["id"], int(row["step"])) for row in rows if not row["id"].startswith(PREFIX)]
    others = [row["id"].removeprefix(PREFIX) for row in rows if row["id"].startswith(PREFIX)]
    training = profile.holes.training
    with ExitStack() as stack:
        holes = stack.enter_context(open_source(config, layout, profile.holes.source))
        holes.check_same_members([stem for stem, _ in steps], table)
        masks = None
        if training is not None:
            masks = stack.enter_context(open_source(config, layout, training.source))
            masks.check_same_members(others, table)
        pack_holes(
            layout.holes(),
            holes,
            steps,
            roles=[row["role"] for row in rows],
            size=profile.image_size,
            polarity=profile.holes.polarity,
            training=(masks, training, others) if masks and training else None,
            progress=progress,
        )
