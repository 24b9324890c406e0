"""Assign every image of a data set, or every hole mask, to training, validation or test.

Writes runs/PROFILE/splits/DATASET.csv: id, role, labelled, sha256; for `holes`: id, step, role,
sha256. The hash is that of the file. Files of the same content in two roles are an error.
"""

import logging
import sys

from mdrnets.config.data import Role, TrainingHoles
from mdrnets.data.archive import Archive
from mdrnets.data.dataset import HOLE_SPLIT_COLUMNS, SPLIT_COLUMNS
from mdrnets.data.splits import (
    assign_hole_roles,
    assign_image_roles,
    check_no_leak,
    find_labelled_images,
    hash_members,
    read_hole_steps,
)
from mdrnets.data.tables import write_table
from mdrnets.data.training_holes import PREFIX, assign_training_roles
from mdrnets.execution.command import stage_command
from mdrnets.execution.run import StageRun

logger = logging.getLogger(__name__)

HOLES = "holes"
NO_STEP = 0
"""The step of masks that are only for training."""


@stage_command("dataset")
def main(run: StageRun) -> None:
    if run.wildcards["dataset"] == HOLES:
        _split_holes(run)
    else:
        _split_images(run, run.wildcards["dataset"])


def _split_images(run: StageRun, name: str) -> None:
    dataset = run.config.profile.datasets[name]
    with Archive(run.layout.raw(dataset.faces)) as faces:
        labelled: set[str] = set()
        if dataset.labels is not None:
            with Archive(run.layout.raw(dataset.labels.source)) as labels:
                labelled = find_labelled_images(faces, labels, classes=dataset.labels.classes)
        roles = assign_image_roles(
            list(faces.members), dataset.split, seed=run.config.protocol.seed
        )
        hashes = hash_members(faces, progress=run.progress)
        check_no_leak(faces, roles, hashes)
    rows = [(stem, roles[stem], int(stem in labelled), digest) for stem, digest in hashes.items()]
    write_table(run.layout.split(name), SPLIT_COLUMNS, rows)


def _split_holes(run: StageRun) -> None:
    settings = run.config.profile.holes
    with Archive(run.layout.raw(settings.source)) as holes:
        steps = read_hole_steps(list(holes.members), per_step=settings.per_step)
        roles = assign_hole_roles(
            steps, validation=settings.validation, test=settings.test, seed=run.config.protocol.seed
        )
        hashes = hash_members(holes, progress=run.progress)
        check_no_leak(holes, roles, hashes)
    rows = [(stem, steps[stem], roles[stem], digest) for stem, digest in hashes.items()]
    if settings.training is not None:
        rows += _training_rows(run, settings.training)
    write_table(run.layout.hole_split(), HOLE_SPLIT_COLUMNS, rows)


def _training_rows(run: StageRun, settings: TrainingHoles) -> list[tuple[str, int, Role, str]]:
    size = run.config.profile.image_size
    with Archive(run.layout.raw(settings.source)) as holes:
        roles = assign_training_roles(holes, settings, size=size, progress=run.progress)
        hashes = hash_members(holes, progress=run.progress)
    if unused := sum(role == "unused" for role in roles.values()):
        logger.info(
            "%s: %d of %d masks are not used: at %d pixels they are entirely or nowhere a hole",
            settings.source,
            unused,
            len(roles),
            size,
        )
    return [(PREFIX + stem, NO_STEP, roles[stem], digest) for stem, digest in hashes.items()]


if __name__ == "__main__":
    sys.exit(main())
