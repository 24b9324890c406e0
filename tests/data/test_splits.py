import hashlib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdrnets.config.data import Split
from mdrnets.data.archive import Archive
from mdrnets.data.splits import (
    TEST_IDS,
    assign_hole_roles,
    assign_image_roles,
    check_no_leak,
    find_labelled_images,
    hash_members,
    read_hole_steps,
    select_celebahq,
    select_last,
)
from mdrnets.errors import UserError

# -- images ------------------------------------------------------------------------------------


def test_the_list_of_test_ids_is_the_published_one() -> None:
    data = TEST_IDS.read_bytes()
    ids = [int(line) for line in data.split()]
    assert len(set(ids)) == len(ids) == 2000
    assert min(ids) >= 0
    assert max(ids) < 30_000
    published = "73c912fa8daf92eb5a7af29a0ea89dbf317adb57273bdc2d5d7892ffe1be8b68"
    assert hashlib.sha256(data).hexdigest() == published


def test_the_last_are_last_by_number() -> None:
    assert select_last(["9", "10", "8", "11"], count=2) == {"10", "11"}
    with pytest.raises(UserError, match=r"split\.test: .*4.*4"):
        select_last(["9", "10", "8", "11"], count=4)


def test_all_of_celebahq_gives_28000_and_2000() -> None:
    ids = [str(n) for n in range(30_000)]
    roles = assign_image_roles(ids, Split(rule="celebahq", validation=0), seed=1)
    assert Counter(roles.values()) == {"train": 28_000, "test": 2000}
    assert roles["3"] == roles["14"] == roles["63"] == "test"  # the first of the list
    assert roles["4"] == "train"


def test_every_tenth_of_the_other_numbers_is_a_test_image_too() -> None:
    ids = ["opaque", "a1", *(f"{n:05}" for n in range(79))]
    listed = {"00003", "00014", "00063", "00075"}
    assert select_celebahq(ids, test_every=None) == listed
    assert select_celebahq(ids, test_every=30) == listed | {"00031", "00061"}


@pytest.mark.parametrize("ids", [["opaque", "00129b54"], [str(n) for n in range(75)]])
def test_too_few_ids_of_the_list_are_refused(ids: list[str]) -> None:
    with pytest.raises(UserError, match=r"split\.rule: celebahq "):
        select_celebahq(ids, test_every=None)


@given(
    n=st.integers(4, 40),
    test=st.integers(1, 2),
    validation=st.integers(0, 1),
    seed=st.integers(0, 9),
)
def test_validation_images_are_drawn_from_those_not_for_test(n, test, validation, seed) -> None:
    ids = [f"{i:05}" for i in range(n)]
    split = Split(rule="last", test=test, validation=validation)
    roles = assign_image_roles(ids, split, seed=seed)
    assert list(roles) == ids
    assert Counter(roles.values())["validation"] == validation
    assert [name for name in ids if roles[name] == "test"] == ids[n - test :]
    assert assign_image_roles(ids, split, seed=seed) == roles


def test_the_seed_draws_the_validation_images() -> None:
    ids = [f"{i:05}" for i in range(100)]
    split = Split(rule="last", test=10, validation=10)
    first, second = (assign_image_roles(ids, split, seed=seed) for seed in (1, 2))
    assert first != second


def test_some_image_must_train() -> None:
    ids = [f"{i:05}" for i in range(10)]
    with pytest.raises(UserError, match=r"split\.validation: .*6.*6"):
        assign_image_roles(ids, Split(rule="last", test=4, validation=6), seed=0)
    listed = TEST_IDS.read_text(encoding="ascii").split()
    with pytest.raises(UserError, match=r"split\.rule: celebahq "):
        assign_image_roles(listed, Split(rule="celebahq", validation=0), seed=1)


# -- holes -------------------------------------------------------------------------------------


def test_the_number_of_a_hole_tells_its_step() -> None:
    names = ["00000", "01999", "02000", "04000", "06000", "08000", "11999"]
    steps = read_hole_steps(names, per_step=2000, where=Path("holes.zip"))
    assert [steps[name] for name in names] == [1, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("name", ["12000", "mask", "-1"])
def test_a_hole_of_no_step_is_refused(name) -> None:
    names = ["00000", "02000", "04000", "06000", "08000", "10000", name]
    with pytest.raises(UserError, match=rf"holes\.zip: hole '{name}': .*12000"):
        read_hole_steps(names, per_step=2000, where=Path("holes.zip"))


def test_a_step_without_holes_is_named() -> None:
    with pytest.raises(UserError, match=r"holes\.zip: .*30 to 39.*30 to 40 %"):
        read_hole_steps(["0", "10", "20", "40", "50"], per_step=10, where=Path("holes.zip"))


@given(seed=st.integers(0, 99))
def test_roles_have_their_share_of_every_step(seed) -> None:
    steps = read_hole_steps([f"{n:03}" for n in range(120)], per_step=20, where=Path("holes.zip"))
    roles = assign_hole_roles(steps, validation=0.1, test=0.3, seed=seed)
    assert roles.keys() == steps.keys()
    for step in range(1, 7):
        counts = Counter(roles[name] for name in steps if steps[name] == step)
        assert counts == {"train": 12, "validation": 2, "test": 6}
    assert assign_hole_roles(steps, validation=0.1, test=0.3, seed=seed) == roles
    assert assign_hole_roles(steps, validation=0.1, test=0.3, seed=seed + 1) != roles


@pytest.mark.parametrize("validation", [0.05, 0.1, 0.15, 0.3, 0.35])
def test_where_others_train_every_hole_has_another_role(validation) -> None:
    steps = read_hole_steps([f"{n:03}" for n in range(66)], per_step=11, where=Path("holes.zip"))
    roles = assign_hole_roles(steps, validation=validation, test=1 - validation, seed=0)
    assert set(roles.values()) == {"test", "validation"}


def test_a_step_too_small_for_its_shares_is_named() -> None:
    steps = read_hole_steps([str(n) for n in range(12)], per_step=2, where=Path("holes.zip"))
    with pytest.raises(UserError, match=r"2 holes of step 1 .*0 for test .*2 for training"):
        assign_hole_roles(steps, validation=0.1, test=0.2, seed=0)
    with pytest.raises(UserError, match=r"2 holes of step 1 .*2 for test .*0 for training"):
        assign_hole_roles(steps, validation=0.1, test=0.8, seed=0)


# -- content -----------------------------------------------------------------------------------


def test_content_is_hashed_by_name(tmp_path, write_zip) -> None:
    with Archive(write_zip(tmp_path / "faces.zip", {"2.png": b"b", "1.png": b"a"})) as archive:
        assert hash_members(archive) == {
            "1": hashlib.sha256(b"a").hexdigest(),
            "2": hashlib.sha256(b"b").hexdigest(),
        }


def test_equal_content_in_two_roles_is_a_leak(tmp_path, write_zip) -> None:
    members = {"1.png": b"a", "2.png": b"b", "3.png": b"b", "4.png": b"b"}
    with Archive(write_zip(tmp_path / "faces.zip", members)) as archive:
        hashes = hash_members(archive)
        check_no_leak(archive, {"1": "test", "2": "train", "3": "train", "4": "train"}, hashes)
        message = r"faces\.zip: 2\.png \(train\) and 4\.png \(test\) have the same content"
        with pytest.raises(UserError, match=message):
            check_no_leak(archive, {"1": "test", "2": "train", "3": "train", "4": "test"}, hashes)


def test_a_label_map_needs_its_image(tmp_path, write_zip) -> None:
    with (
        Archive(write_zip(tmp_path / "faces.zip", {"1.jpg": b"", "2.jpg": b""})) as faces,
        Archive(write_zip(tmp_path / "labels.zip", {"2.png": b""})) as labels,
        Archive(write_zip(tmp_path / "others.zip", {"2.png": b"", "7.png": b""})) as others,
    ):
        assert find_labelled_images(faces, labels, classes="mdrnets14") == {"2"}
        with pytest.raises(UserError, match=r"others\.zip: 7\.png: .*\.zip"):
            find_labelled_images(faces, others, classes="mdrnets14")
