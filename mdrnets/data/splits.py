"""Assign images and holes to training, validation and test.

CelebA-HQ: the DeepFillv2 split, whose 2,000 test ids are in `celebahq_test_ids.txt`. FFHQ: the
last images are for test. Holes: disjoint roles inside each 10 % step of the hole ratio; training
holes may come from another source.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from mdrnets.config.constants import MIN_TEST_IMAGES, STEPS
from mdrnets.config.data import Role, Split
from mdrnets.data.archive import Archive, is_number, sort_stems
from mdrnets.data.bad_files import read_each, require_none
from mdrnets.data.label_parts import group_by_image
from mdrnets.data.number_lists import read_numbers
from mdrnets.data.progress import ProgressBar, no_progress_bar
from mdrnets.data.shuffling import shuffle_by_hash
from mdrnets.errors import UserError

TEST_IDS = Path(__file__).with_name("celebahq_test_ids.txt")

Roles = dict[str, Role]


def assign_image_roles(ids: Sequence[str], split: Split, *, seed: int) -> Roles:
    """Return the role of each image; validation images are drawn from those not for test.

    Raises:
        UserError: no image would be left for training, or none is for test.
    """
    if split.test is not None:
        test = select_last(ids, count=split.test)
    else:
        test = select_celebahq(ids, test_every=split.test_every)
    others = [name for name in ids if name not in test]
    if not others:
        raise UserError(
            f"split.rule: {split.rule} selects all {len(ids)} images for test, expected others for "
            "training; add some"
        )
    if split.validation >= len(others):
        raise UserError(
            f"split.validation: found {split.validation}, expected fewer than the {len(others)} "
            "images that are not for test; reduce it"
        )
    held_out = set(shuffle_by_hash(others, seed, "validation")[: split.validation])
    roles: Roles = {}
    for name in ids:
        roles[name] = "test" if name in test else "validation" if name in held_out else "train"
    return roles


def select_last(ids: Sequence[str], *, count: int) -> set[str]:
    """Return the last names in the order of `sort_stems`.

    Raises:
        UserError: no name would be left.
    """
    if count >= len(ids):
        raise UserError(
            f"split.test: found {count}, expected fewer than the {len(ids)} images; reduce it"
        )
    return set(sort_stems(ids)[-count:])


def select_celebahq(ids: Sequence[str], *, test_every: int | None) -> set[str]:
    """Return the ids of the DeepFillv2 test list, and every `test_every`-th of the other ids.

    Names that are not numbers are never for test.

    Raises:
        UserError: too few names are selected for the intervals of the scores.
    """
    listed = read_numbers(TEST_IDS)
    numbers = [name for name in sort_stems(ids) if is_number(name)]
    test = {name for name in numbers if int(name) in listed}
    if test_every is not None:
        others = [name for name in numbers if name not in test]
        test.update(others[test_every - 1 :: test_every])
    if len(test) < MIN_TEST_IMAGES:
        raise UserError(
            f"split.rule: celebahq selects {len(test)} of {len(ids)} images for test, expected at "
            f"least {MIN_TEST_IMAGES}, named by their ids in CelebA-HQ; rename the files, set "
            "`test_every`, or use the rule `last`"
        )
    return test


def read_hole_steps(ids: Sequence[str], *, per_step: int, where: Path) -> dict[str, int]:
    """Return the 10 % step of each hole, from 1, according to the number of its file.

    Args:
        ids: names of the holes.
        per_step: numbers of each step.
        where: the archive or folder that error messages name.

    Raises:
        UserError: a name is not a number, a number is too large, or a step has no file.
    """
    problems = [
        f"{where}: hole {name!r}: expected a number below {STEPS * per_step}, {per_step} for each "
        f"of {STEPS} steps; rename it, or correct holes.per_step"
        for name in ids
        if not is_number(name) or int(name) >= STEPS * per_step
    ]
    require_none(problems, where=where, total=len(ids))
    steps = {name: int(name) // per_step + 1 for name in ids}
    for step in range(1, STEPS + 1):
        if step not in steps.values():
            raise UserError(
                f"{where}: no hole with a number from {(step - 1) * per_step} to "
                f"{step * per_step - 1}, for ratios from {10 * (step - 1)} to {10 * step} %; "
                "add holes, or correct holes.per_step"
            )
    return steps


def assign_hole_roles(
    steps: Mapping[str, int], *, validation: float, test: float, seed: int
) -> Roles:
    """Return the role of each hole: drawn by seed in each step; the rest is for training.

    Raises:
        UserError: a step has no hole for test, or none for training where some are expected.
    """
    roles: Roles = {}
    some_train = validation + test < 1 - 1e-9  # tolerates rounding
    for step in range(1, STEPS + 1):
        drawn = shuffle_by_hash((n for n, s in steps.items() if s == step), seed, "holes", step)
        n_test, n_validation = round(test * len(drawn)), round(validation * len(drawn))
        if not some_train:
            n_validation = len(drawn) - n_test
        if n_test == 0 or (some_train and n_test + n_validation >= len(drawn)):
            raise UserError(
                f"holes: the {len(drawn)} holes of step {step} give {n_test} for test and "
                f"{len(drawn) - n_test - n_validation} for training, expected some for both; add "
                "holes, or change the shares"
            )
        for position, name in enumerate(drawn):
            if position < n_test:
                roles[name] = "test"
            else:
                roles[name] = "validation" if position < n_test + n_validation else "train"
    return roles


def hash_members(archive: Archive, *, progress: ProgressBar = no_progress_bar) -> dict[str, str]:
    """Return the SHA-256 of each member, by name without suffix."""
    stems = progress(archive.members, total=len(archive.members), label="hash")
    hashes = read_each(
        stems,
        lambda stem: hashlib.sha256(archive.read(stem)).hexdigest(),
        where=archive.origin,
    )
    return dict(zip(archive.members, hashes, strict=True))


def check_no_leak(archive: Archive, roles: Mapping[str, Role], hashes: Mapping[str, str]) -> None:
    """Check that no two files of different roles have the same content.

    Raises:
        UserError: two files have.
    """
    first: dict[str, str] = {}
    for stem, digest in hashes.items():
        other = first.setdefault(digest, stem)
        if roles[other] != roles[stem]:
            raise UserError(
                f"{archive.origin}: {archive.members[other]} ({roles[other]}) and "
                f"{archive.members[stem]} ({roles[stem]}) have the same content but other roles; "
                "remove one of them"
            )


def find_labelled_images(faces: Archive, labels: Archive, *, classes: str) -> set[str]:
    """Return the names of the images that have a label map.

    Args:
        faces: the images.
        labels: the label maps, or the masks of parts.
        classes: see `mdrnets.config.data.Labels`.

    Raises:
        UserError: a label map has no image.
    """
    if classes == "celebamask_parts":
        by_number = {int(stem): stem for stem in faces.members if is_number(stem)}
        images_by_label = {
            stem: by_number.get(number)
            for number, parts in group_by_image(labels).items()
            for stem in parts.values()
        }
    else:
        images_by_label = {stem: stem if stem in faces.members else None for stem in labels.members}
    problems = [
        f"{labels.where(stem)}: its image is not in {faces.origin}; "
        "add the image, or remove the label map"
        for stem, face in images_by_label.items()
        if face is None
    ]
    require_none(problems, where=labels.origin, total=len(images_by_label))
    return {face for face in images_by_label.values() if face is not None}
