"""Decode and resize a data set's images or label maps, or the hole masks, into one array.

Writes runs/PROFILE/packed/: DATASET.npy (uint8 N×H×W×3), DATASET_labels.npy (uint8 L×H×W, ids
0…13), holes.npy (bool N×H×W, True = hole); rows in the order of the split table.
"""

import sys
from contextlib import ExitStack

from mdrnets.data.archive import Archive
from mdrnets.data.dataset import HOLE_SPLIT_COLUMNS, SPLIT_COLUMNS
from mdrnets.data.packing import pack_holes, pack_images, pack_labels
from mdrnets.data.tables import read_table
from mdrnets.data.training_holes import PREFIX
from mdrnets.execution.command import stage_command
from mdrnets.execution.run import StageRun


@stage_command("what", "dataset?")
def main(run: StageRun) -> None:
    pack = {"images": _pack_images, "labels": _pack_labels, "holes": _pack_holes}
    pack[run.wildcards["what"]](run)


def _pack_images(run: StageRun) -> None:
    name, profile = run.wildcards["dataset"], run.config.profile
    table = run.layout.split(name)
    ids = [row["id"] for row in read_table(table, SPLIT_COLUMNS)]
    with Archive(run.layout.raw(profile.datasets[name].faces)) as faces:
        faces.check_same_members(ids, table)
        path, size = run.layout.images(name), profile.image_size
        pack_images(path, faces, ids, size=size, progress=run.progress)


def _pack_labels(run: StageRun) -> None:
    name, profile = run.wildcards["dataset"], run.config.profile
    dataset, table = profile.datasets[name], run.layout.split(name)
    assert dataset.labels is not None  # otherwise the profile does not have this stage
    ids = [row["id"] for row in read_table(table, SPLIT_COLUMNS) if row["labelled"] == "1"]
    with (
        Archive(run.layout.raw(dataset.labels.source)) as labels,
        Archive(run.layout.raw(dataset.faces)) as faces,
    ):
        if dataset.labels.classes != "celebamask_parts":
            labels.check_same_members(ids, table)
        pack_labels(
            run.layout.labels(name),
            labels,
            faces,
            ids,
            classes=dataset.labels.classes,
            size=profile.image_size,
            progress=run.progress,
        )


def _pack_holes(run: StageRun) -> None:
    profile, table = run.config.profile, run.layout.hole_split()
    rows = read_table(table, HOLE_SPLIT_COLUMNS)
    steps = [(row["id"], int(row["step"])) for row in rows if not row["id"].startswith(PREFIX)]
    others = [row["id"].removeprefix(PREFIX) for row in rows if row["id"].startswith(PREFIX)]
    training = profile.holes.training
    with ExitStack() as stack:
        holes = stack.enter_context(Archive(run.layout.raw(profile.holes.source)))
        holes.check_same_members([stem for stem, _ in steps], table)
        masks = None
        if training is not None:
            masks = stack.enter_context(Archive(run.layout.raw(training.source)))
            masks.check_same_members(others, table)
        pack_holes(
            run.layout.holes(),
            holes,
            steps,
            size=profile.image_size,
            polarity=profile.holes.polarity,
            training=(masks, training, others) if masks and training else None,
            progress=run.progress,
        )


if __name__ == "__main__":
    sys.exit(main())
