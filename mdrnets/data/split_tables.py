"""The split tables of a profile: the role of every image of a data set, and of every hole mask."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from mdrnets.config.data import Role, TrainingHoles
from mdrnets.config.load import Config
from mdrnets.config.validation import add_place
from mdrnets.data.dataset import HOLE_SPLIT_COLUMNS, SPLIT_COLUMNS
from mdrnets.data.progress import ProgressBar
from mdrnets.data.sources import open_source
from mdrnets.data.splits import (
    assign_hole_roles,
    assign_image_roles,
    check_no_leak,
    find_labelled_images,
    hash_members,
    read_hole_steps,
)
from mdrnets.data.training_holes import PREFIX, assign_training_roles
from mdrnets.errors import UserError
from mdrnets.files.tables import write_table
from mdrnets.layout import Layout

logger = logging.getLogger(__name__)

NO_STEP = 0
"""The step of masks that are only for training."""


def split_images(config: Config, layout: Layout, name: str, progress: ProgressBar) -> None:
    """Assign every image of a data set a role, and write the table."""
    dataset = config.profile.datasets[name]
    with open_source(config, layout, dataset.faces) as faces:
        labelled: set[str] = set()
        if dataset.labels is not None:
            with open_source(config, layout, dataset.labels.source) as labels:
                labelled = find_labelled_images(faces, labels, classes=dataset.labels.classes)
        with _located(config, f"datasets.{name}."):
            roles = assign_image_roles(
                list(faces.members), dataset.split, seed=config.protocol.seed
            )
        hashes = hash_members(faces, progress=progress)
        check_no_leak(faces, roles, hashes)
    rows = [(stem, roles[stem], int(stem in labelled), digest) for stem, digest in hashes.items()]
    write_table(layout.split(name), SPLIT_COLUMNS, rows)


def split_holes(config: Config, layout: Layout, progress: ProgressBar) -> None:
    """Assign every hole mask, and those only for training, a role, and write the table."""
    settings = config.profile.holes
    with open_source(config, layout, settings.source) as holes:
        steps = read_hole_steps(list(holes.members), per_step=settings.per_step, where=holes.origin)
        with _located(config):
            roles = assign_hole_roles(
                steps, validation=settings.validation, test=settings.test, seed=config.protocol.seed
            )
        hashes = hash_members(holes, progress=progress)
        check_no_leak(holes, roles, hashes)
    rows = [(stem, steps[stem], roles[stem], digest) for stem, digest in hashes.items()]
    if settings.training is not None:
        rows += _training_rows(config, layout, settings.training, progress)
    write_table(layout.hole_split(), HOLE_SPLIT_COLUMNS, rows)


@contextmanager
def _located(config: Config, above: str = "") -> Iterator[None]:
    """Add the profile's file and line to errors that begin with a key below `above`."""
    try:
        yield
    except UserError as error:
        place = add_place(str(error), lambda key: config.locate(f"{above}{key}"))
        raise UserError(place) from None


def _training_rows(
    config: Config, layout: Layout, settings: TrainingHoles, progress: ProgressBar
) -> list[tuple[str, int, Role, str]]:
    size = config.profile.image_size
    with open_source(config, layout, settings.source) as holes:
        roles = assign_training_roles(holes, settings, size=size, progress=progress)
        hashes = hash_members(holes, progress=progress)
    if unused := sum(role == "unused" for role in roles.values()):
        logger.info(
            "%s: %d of %d masks are not used: at %d pixels all or none of their area is a hole",
            settings.source,
            unused,
            len(roles),
            size,
        )
    return [(PREFIX + stem, NO_STEP, roles[stem], digest) for stem, digest in hashes.items()]
