"""Which images and holes are for training, validation and test.

CelebA-HQ: the DeepFillv2 split, whose 2,000 test ids stand in `celebahq_test_ids.txt`. FFHQ: the
last images test. Holes: disjoint roles inside each 10 % step of the hole ratio; those for training
may come from a set of their own.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from mdrnets.config.data import Role, Split
from mdrnets.config.protocol import STEPS
from mdrnets.data.archive import Archive, in_order, is_number
from mdrnets.data.label_parts import image_number, parts_by_image
from mdrnets.data.progress import Progress, silent
from mdrnets.data.shuffling import shuffled
from mdrnets.errors import UserError

TEST_IDS = Path(__file__).with_name("celebahq_test_ids.txt")

Roles = dict[str, Role]


def image_roles(ids: Sequence[str], split: Split, *, seed: int) -> Roles:
    """The role of each image; validation images are drawn from those that are not for test.

    Raises:
        UserError: no image would be left to train on, or to test with.
    """
    if split.test is not None:
        test = last(ids, count=split.test)
    else:
        test = celebahq(ids, test_every=split.test_every)
    others = [name for name in ids if name not in test]
    if split.validation >= len(others):
        raise UserError(
            f"split.validation asks for {split.validation} of the {len(others)} images that are "
            "not for test, and leaves none to train on; lower it"
        )
    held_out = set(shuffled(others, seed, "validation")[: split.validation])
    roles: Roles = {}
    for name in ids:
        roles[name] = "test" if name in test else "validation" if name in held_out else "train"
    return roles


def last(ids: Sequence[str], *, count: int) -> set[str]:
    """The last names.

    Raises:
        UserError: no name would be left.
    """
    if count >= len(ids):
        raise UserError(
            f"split.test asks for {count} of {len(ids)} images, and leaves none to train on; "
            "lower it"
        )
    return set(in_order(ids)[-count:])


def celebahq(ids: Sequence[str], *, test_every: int | None) -> set[str]:
    """The DeepFillv2 test list, and every `test_every`-th of the other CelebA-HQ indices.

    Names that are no index always train.

    Raises:
        UserError: no name is chosen.
    """
    listed = {int(line) for line in TEST_IDS.read_text(encoding="ascii").split()}
    numbers = [name for name in in_order(ids) if is_number(name)]
    test = {name for name in numbers if int(name) in listed}
    if test_every is not None:
        others = [name for name in numbers if name not in test]
        test.update(others[test_every - 1 :: test_every])
    if not test:
        raise UserError(
            "split.rule `celebahq` finds no test image: no name is a CelebA-HQ index of the test "
            "list; name the files by their index, or use the rule `last`"
        )
    return test


def hole_steps(ids: Sequence[str], *, per_step: int) -> dict[str, int]:
    """The 10 % step of each hole, from 1: the file's number tells.

    Raises:
        UserError: a name is no number, a number is beyond the last step, or a step has no file.
    """
    steps = {}
    for name in ids:
        if not is_number(name) or int(name) >= STEPS * per_step:
            raise UserError(
                f"hole {name!r}: expected a number below {STEPS * per_step}, {per_step} for each "
                f"of {STEPS} steps; correct the name, or holes.per_step"
            )
        steps[name] = int(name) // per_step + 1
    for step in range(1, STEPS + 1):
        if step not in steps.values():
            raise UserError(
                f"no hole has a number from {(step - 1) * per_step} to {step * per_step - 1}, for "
                f"ratios from {10 * (step - 1)} to {10 * step} %; add some, or correct "
                "holes.per_step"
            )
    return steps


def hole_roles(steps: Mapping[str, int], *, validation: float, test: float, seed: int) -> Roles:
    """The role of each hole: shares of each step, drawn by seed; the rest, if any, trains.

    Raises:
        UserError: a step has no hole to test with, or none to train with where some should.
    """
    roles: Roles = {}
    some_train = validation + test < 1 - 1e-9  # shares are sums of decimals
    for step in range(1, STEPS + 1):
        drawn = shuffled((n for n, s in steps.items() if s == step), seed, "holes", step)
        n_test, n_validation = round(test * len(drawn)), round(validation * len(drawn))
        if not some_train:
            n_validation = len(drawn) - n_test
        if n_test == 0 or (some_train and n_test + n_validation >= len(drawn)):
            raise UserError(
                f"the {len(drawn)} holes of step {step} give {n_test} for test and "
                f"{len(drawn) - n_test - n_validation} for training; add holes, or change the "
                "shares in `holes`"
            )
        for position, name in enumerate(drawn):
            tested = position < n_test
            kept = position < n_test + n_validation
            roles[name] = "test" if tested else "validation" if kept else "train"
    return roles


def content_hashes(archive: Archive, *, progress: Progress = silent) -> dict[str, str]:
    """SHA-256 of each member's bytes, by stem."""
    stems = progress(archive.members, total=len(archive.members), label="hash")
    return {stem: hashlib.sha256(archive.read(stem)).hexdigest() for stem in stems}


def check_no_leak(archive: Archive, roles: Mapping[str, Role], hashes: Mapping[str, str]) -> None:
    """Check that no content stands in two roles.

    Raises:
        UserError: names the first two files of equal content.
    """
    first: dict[str, str] = {}
    for stem, digest in hashes.items():
        other = first.setdefault(digest, stem)
        if roles[other] != roles[stem]:
            raise UserError(
                f"{archive.path}: {archive.members[other]} ({roles[other]}) and "
                f"{archive.members[stem]} ({roles[stem]}) have the same content, so that training "
                "would see what it is judged by; remove one of them"
            )


def labelled_images(faces: Archive, labels: Archive, *, classes: str) -> set[str]:
    """The images that have a label map.

    Args:
        faces: the images.
        labels: the label maps, or the parts of faces.
        classes: see `mdrnets.config.data.Labels`.

    Raises:
        UserError: names the first label map without an image.
    """
    if classes == "celebamask_parts":
        images = parts_by_image(labels)
        owners = {stem: number for number, parts in images.items() for stem in parts.values()}
        numbers = {image_number(stem): stem for stem in faces.members}
        found = {stem: numbers.get(number) for stem, number in owners.items()}
    else:
        found = {stem: stem if stem in faces.members else None for stem in labels.members}
    for stem, face in found.items():
        if face is None:
            raise UserError(
                f"{labels.where(stem)} has no image of this name in {faces.path}; "
                "remove it, or add the image"
            )
    return {face for face in found.values() if face is not None}
