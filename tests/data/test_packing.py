import errno
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mdrnets.data.archive import Archive
from mdrnets.data.packing import pack_holes, pack_images, pack_labels
from mdrnets.errors import UserError


@pytest.fixture
def archive_of(tmp_path, write_zip):
    """An opened archive of `{name: bytes}`; closed after the test."""
    paths = []

    def archive(name: str, members: dict[str, bytes]) -> Archive:
        paths.append(Archive(write_zip(tmp_path / name, members)).__enter__())
        return paths[-1]

    yield archive
    for one in paths:
        one.__exit__(None, None, None)


@pytest.fixture
def target(tmp_path):
    return tmp_path / "packed" / "out.npy"


# -- images ------------------------------------------------------------------------------------


def test_images_are_packed_in_the_given_order(archive_of, encode, face, target) -> None:
    faces = archive_of("faces.zip", {"1.png": encode(face), "2.png": encode(255 - face)})
    pack_images(target, faces, ["2", "1"], roles=["train"] * 2, size=40)
    images = np.load(target, mmap_mode="r")
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, [255 - face, face])
    assert [path.name for path in target.parent.iterdir()] == ["out.npy"]


def test_images_are_scaled_down_by_lanczos(archive_of, encode, target) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    pack_images(
        target,
        archive_of("faces.zip", {"1.png": encode(noise)}),
        ["1"],
        roles=["train"],
        size=32,
    )
    expected = Image.fromarray(noise).resize((32, 32), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(np.load(target)[0], np.asarray(expected))


@pytest.mark.parametrize("height", [30, 31, 41])
def test_an_image_that_is_small_or_not_square_is_named(
    archive_of, encode, face, target, height
) -> None:
    odd = np.resize(face, (height, 31 if height == 31 else 40, 3))
    faces = archive_of("faces.zip", {"1.png": encode(face), "2.png": encode(odd)})
    with pytest.raises(UserError, match=rf"faces\.zip: 2\.png .*{height}×\d+"):
        pack_images(target, faces, ["1", "2"], roles=["train"] * 2, size=32)
    assert list(target.parent.iterdir()) == []


def test_one_bad_image_among_good_ones_is_named(archive_of, encode, face, target) -> None:
    bad = {"2.png": encode(face, mode="L"), "3.png": b"", "4.png": encode(face)[:-60]}
    for name, data in bad.items():
        faces = archive_of("faces.zip", {"1.png": encode(face), name: data})
        with pytest.raises(UserError, match=rf"faces\.zip: {name[0]}\.png "):
            pack_images(target, faces, ["1", name[0]], roles=["train"] * 2, size=40)
        assert list(target.parent.iterdir()) == []


def test_all_bad_images_are_counted_and_ten_named(archive_of, encode, face, target) -> None:
    members = {f"{n}.png": encode(face, mode="L") for n in range(20, 32)} | {"9.png": encode(face)}
    faces = archive_of("faces.zip", members)
    with pytest.raises(UserError, match=r"^\S+faces\.zip: 12 of 13 files ") as raised:
        pack_images(target, faces, list(faces.members), roles=["train"] * 13, size=40)
    assert [f"{n}.png" in str(raised.value) for n in range(20, 32)] == [True] * 10 + [False] * 2
    assert list(target.parent.iterdir()) == []


def test_errors_name_the_file_that_was_copied(tmp_path, write_zip, encode, face, target) -> None:
    copy = write_zip(tmp_path / "copy.zip", {"1.png": encode(face, mode="L")})
    with (
        Archive(copy, origin=Path("/mine/faces")) as faces,
        pytest.raises(UserError, match=r"^/mine/faces: 1\.png "),
    ):
        pack_images(target, faces, ["1"], roles=["train"], size=40)


def test_the_same_pixels_in_two_formats_are_a_leak(archive_of, encode, face, target) -> None:
    webp = encode(face, format="WEBP", lossless=True)
    faces = archive_of("faces.zip", {"1.png": encode(face), "2.webp": webp})
    pack_images(target, faces, ["1", "2"], roles=["train", "train"], size=40)
    target.unlink()
    with pytest.raises(UserError, match=r"faces\.zip: .*1 \(train\) and 2 \(test\)"):
        pack_images(target, faces, ["1", "2"], roles=["train", "test"], size=40)
    assert list(target.parent.iterdir()) == []


def test_a_full_disk_is_told_and_leaves_nothing(archive_of, encode, face, target) -> None:
    faces = archive_of("faces.zip", {"1.png": encode(face), "2.png": encode(face)})

    def full_after_one(items, /, *, total, label):
        yield next(iter(items))
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(UserError, match=r"out\.npy: "):
        pack_images(
            target, faces, ["1", "2"], roles=["train"] * 2, size=40, progress=full_after_one
        )
    assert list(target.parent.iterdir()) == []


def test_a_disk_that_is_too_small_is_told_before(
    archive_of, encode, face, target, monkeypatch
) -> None:
    faces = archive_of("faces.zip", {"1.png": encode(face)})
    usage = shutil.disk_usage(target.anchor)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=0))
    with pytest.raises(UserError, match=r"out\.npy: .*0 MiB .*64 MiB"):
        pack_images(target, faces, ["1"], roles=["train"], size=40)


# -- label maps --------------------------------------------------------------------------------


def _pack_labels(target, archive_of, encode, ids, *, classes, size=40, height=40) -> np.ndarray:
    grey = np.zeros((height, height, 3), dtype=np.uint8)
    faces = archive_of("faces.zip", {"7.png": encode(grey)})
    labels = archive_of("labels.zip", {"7.png": encode(ids)})
    pack_labels(target, labels, faces, ["7"], classes=classes, size=size)
    return np.load(target)


def test_the_14_classes_are_packed_as_they_are(target, archive_of, encode) -> None:
    ids = np.arange(1600, dtype=np.uint8).reshape(40, 40) % 14
    labels = _pack_labels(target, archive_of, encode, ids, classes="mdrnets14")
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, ids[None])


def test_the_19_classes_are_merged(target, archive_of, encode) -> None:
    ids = np.zeros((40, 40), dtype=np.uint8)
    ids[0, :5] = [4, 5, 15, 18, 13]  # left eye, right eye, earring, cloth, hair
    labels = _pack_labels(target, archive_of, encode, ids, classes="celebamask19")
    np.testing.assert_array_equal(labels[0, 0, :6], [3, 3, 5, 11, 12, 0])


def test_label_maps_are_scaled_by_nearest_neighbour(target, archive_of, encode) -> None:
    ids = np.random.default_rng(0).integers(0, 14, (64, 64), dtype=np.uint8)
    labels = _pack_labels(target, archive_of, encode, ids, classes="mdrnets14", size=32, height=64)
    np.testing.assert_array_equal(labels[0], ids[1::2, 1::2])


@pytest.mark.parametrize(("classes", "beyond"), [("mdrnets14", 14), ("celebamask19", 19)])
def test_an_unknown_class_is_named_with_its_file(
    target, archive_of, encode, classes, beyond
) -> None:
    ids = np.zeros((64, 64), dtype=np.uint8)
    ids[0, 0] = beyond  # a pixel that scaling drops
    with pytest.raises(UserError, match=rf"labels\.zip: 7\.png.* {beyond}, "):
        _pack_labels(target, archive_of, encode, ids, classes=classes, size=32, height=64)


def test_a_label_map_has_the_size_of_its_image(target, archive_of, encode) -> None:
    ids = np.zeros((40, 40), dtype=np.uint8)
    with pytest.raises(UserError, match=r"labels\.zip: 7\.png .*40×40.*80×80"):
        _pack_labels(target, archive_of, encode, ids, classes="mdrnets14", height=80)


# -- holes -------------------------------------------------------------------------------------


def _rows_of_hole(rows: int, *, size: int = 100) -> np.ndarray:
    """A hole of so many rows from the top; of 100 rows: in per cent of the area."""
    return np.repeat(np.arange(size) < rows, size).reshape(size, size)


def _pack_hole(target, archive_of, encode, hole, *, step, size=100) -> np.ndarray:
    data = encode(hole.astype(np.uint8) * 255, mode="1")
    holes = archive_of("holes.zip", {"5.png": data})
    pack_holes(target, holes, [("5", step)], roles=["test"], size=size)
    return np.load(target)[0]


def test_a_hole_is_packed_as_true(target, archive_of, encode) -> None:
    packed_hole = _pack_hole(target, archive_of, encode, _rows_of_hole(15), step=2)
    assert packed_hole.dtype == bool
    np.testing.assert_array_equal(packed_hole, _rows_of_hole(15))


def test_holes_are_scaled_by_nearest_neighbour(target, archive_of, encode) -> None:
    hole = np.random.default_rng(0).random((64, 64)) < 0.35
    packed_hole = _pack_hole(target, archive_of, encode, hole, step=4, size=32)
    np.testing.assert_array_equal(packed_hole, hole[1::2, 1::2])


@pytest.mark.parametrize("rows", [19, 20, 40, 41])
def test_an_area_on_the_edge_of_its_step_fits(target, archive_of, encode, rows) -> None:
    hole = _rows_of_hole(rows, size=200)
    packed_hole = _pack_hole(target, archive_of, encode, hole, step=2, size=200)
    np.testing.assert_array_equal(packed_hole, hole)


@pytest.mark.parametrize("rows", [8, 22, 50])
def test_an_area_outside_its_step_is_named(target, archive_of, encode, rows) -> None:
    with pytest.raises(UserError, match=rf"holes\.zip: 5\.png .*{rows}\.0 %.*10 to 20 %") as raised:
        _pack_hole(target, archive_of, encode, _rows_of_hole(rows), step=2)
    assert "polarity" not in str(raised.value)


def test_an_inverted_hole_is_recognised(target, archive_of, encode) -> None:
    with pytest.raises(UserError, match=r"holes\.zip: 5\.png .*85\.0 %.*holes\.polarity"):
        _pack_hole(target, archive_of, encode, ~_rows_of_hole(15), step=2)


@pytest.mark.parametrize(("rows", "colour"), [(0, "valid"), (100, "hole")])
def test_a_hole_is_neither_nothing_nor_all(target, archive_of, encode, rows, colour) -> None:
    with pytest.raises(UserError, match=rf"holes\.zip: 5\.png .*{colour}"):
        _pack_hole(target, archive_of, encode, _rows_of_hole(rows), step=1)


def test_a_hole_that_vanishes_when_scaled_down_is_refused(target, archive_of, encode) -> None:
    hole = np.zeros((64, 64), dtype=bool)
    hole[44::2] = True  # rows that nearest neighbour drops
    with pytest.raises(UserError, match=r"holes\.zip: 5\.png, .*32×32 .*valid"):
        _pack_hole(target, archive_of, encode, hole, step=2, size=32)


def test_equal_holes_of_different_roles_are_a_leak(target, archive_of, encode) -> None:
    white = _rows_of_hole(15).astype(np.uint8) * 255
    holes = archive_of("holes.zip", {"5.png": encode(white, mode="1"), "6.png": encode(white)})
    steps = [("5", 2), ("6", 2)]
    with pytest.raises(UserError, match=r"holes\.zip: .*5 \(test\) and 6 \(train\)"):
        pack_holes(target, holes, steps, roles=["test", "train"], size=100)


def test_a_hole_is_not_scaled_up(target, archive_of, encode) -> None:
    with pytest.raises(UserError, match=r"holes\.zip: 5\.png .*16×16"):
        _pack_hole(target, archive_of, encode, _rows_of_hole(2, size=16), step=2, size=32)
