import os
from pathlib import Path

import numpy as np
import pytest

from mdrnets.data.archive import Archive
from mdrnets.data.classes import CELEBAMASK_CLASSES, CLASSES
from mdrnets.data.decoding import decode_labels
from mdrnets.data.label_parts import group_by_image, paint_label_map
from mdrnets.data.packing import pack_labels
from mdrnets.data.splits import find_labelled_images
from mdrnets.errors import UserError


def _part(rows: slice, *, size: int = 64) -> np.ndarray:
    """White in these rows, in three channels as the published files are."""
    mask = np.zeros((size, size, 3), dtype=np.uint8)
    mask[rows] = 255
    return mask


@pytest.fixture
def parts(encode) -> dict[str, bytes]:
    """Two faces; each part covers a band, and the bands overlap."""
    return {
        "00007_hair.png": encode(_part(slice(0, 30))),
        "00007_skin.png": encode(_part(slice(20, 64))),
        "00007_l_eye.png": encode(_part(slice(40, 44)), mode="L"),
        "00007_hat.png": encode(_part(slice(0, 8))),
        "01234_skin.png": encode(_part(slice(0, 64))),
        "01234_neck_l.png": encode(_part(slice(50, 60))),
    }


def test_files_belong_to_images_by_number(tmp_path, write_zip, parts) -> None:
    with Archive(write_zip(tmp_path / "parts.zip", parts)) as labels:
        images = group_by_image(labels)
    assert {number: set(of_image) for number, of_image in images.items()} == {
        7: {"hair", "skin", "l_eye", "hat"},
        1234: {"skin", "neck_l"},
    }


def test_later_classes_cover_earlier_ones(tmp_path, write_zip, parts) -> None:
    with Archive(write_zip(tmp_path / "parts.zip", parts)) as labels:
        ids = paint_label_map(labels, group_by_image(labels)[7])
    rows = [CELEBAMASK_CLASSES[label] for label in ids[:, 0]]
    expected = ["hat"] * 8 + ["hair"] * 22 + ["skin"] * 10 + ["l_eye"] * 4 + ["skin"] * 20
    assert rows == expected
    assert (ids == ids[:, :1]).all()


def test_every_class_is_painted_with_its_id(tmp_path, write_zip, encode) -> None:
    members = {
        f"00000_{name}.png": encode(_part(slice(number, number + 1), size=19))
        for number, name in enumerate(CELEBAMASK_CLASSES)
        if name != "background"
    }
    with Archive(write_zip(tmp_path / "parts.zip", members)) as labels:
        ids = paint_label_map(labels, group_by_image(labels)[0])
    np.testing.assert_array_equal(ids[:, 0], np.arange(19))


def test_they_are_packed_as_14_classes_beside_larger_faces(
    tmp_path, write_zip, encode, parts
) -> None:
    face = np.zeros((128, 128, 3), dtype=np.uint8)
    packed = tmp_path / "labels.npy"
    faces_path = write_zip(tmp_path / "faces.zip", {f"{n}.jpg": encode(face) for n in (7, 8, 1234)})
    with (
        Archive(faces_path) as faces,
        Archive(write_zip(tmp_path / "parts.zip", parts)) as labels,
    ):
        ids = find_labelled_images(faces, labels, classes="celebamask_parts")
        assert ids == {"7", "1234"}
        with pytest.raises(UserError, match=r"parts\.zip: .* 8;"):
            pack_labels(packed, labels, faces, ["8"], classes="celebamask_parts", size=32)
        pack_labels(packed, labels, faces, ["7", "1234"], classes="celebamask_parts", size=32)
    result = np.load(packed)
    assert result.shape == (2, 32, 32)
    names = [CLASSES[label] for label in result[0, :, 0]]
    assert names == ["hat"] * 4 + ["hair"] * 11 + ["skin"] * 5 + ["eye"] * 2 + ["skin"] * 10
    assert {CLASSES[label] for label in np.unique(result[1])} == {"skin", "neck"}


@pytest.mark.parametrize("name", ["00007_chin.png", "skin.png", "00007.png", "a_skin.png"])
def test_a_file_of_no_part_is_named(tmp_path, write_zip, parts, name) -> None:
    with (
        Archive(write_zip(tmp_path / "parts.zip", parts | {name: b""})) as labels,
        pytest.raises(UserError, match=rf"parts\.zip: {name}: "),
    ):
        group_by_image(labels)


def test_parts_of_no_face_are_named(tmp_path, write_zip, parts) -> None:
    with (
        Archive(write_zip(tmp_path / "faces.zip", {"7.jpg": b""})) as faces,
        Archive(write_zip(tmp_path / "parts.zip", parts)) as labels,
        pytest.raises(UserError, match=r"parts\.zip: 2 of 6 .*\n  01234_\w+\.png: .*\.zip"),
    ):
        find_labelled_images(faces, labels, classes="celebamask_parts")


def test_odd_parts_are_refused(tmp_path, write_zip, encode, parts) -> None:
    odd = {"00007_nose.png": encode(_part(slice(0, 1), size=32))}
    with (
        Archive(write_zip(tmp_path / "odd.zip", parts | odd)) as labels,
        pytest.raises(UserError, match=r"00007_\w+\.png .*\d+×\d+"),
    ):
        paint_label_map(labels, group_by_image(labels)[7])
    red = np.zeros((64, 64, 3), dtype=np.uint8)
    red[..., 0] = 255
    with (
        Archive(write_zip(tmp_path / "red.zip", parts | {"00007_nose.png": encode(red)})) as labels,
        pytest.raises(UserError, match=r"00007_nose\.png "),
    ):
        paint_label_map(labels, group_by_image(labels)[7])


@pytest.mark.skipif("MDRNETS_DATA" not in os.environ, reason="MDRNETS_DATA is not set")
def test_real_label_maps_cut_into_parts_come_back(tmp_path, write_zip, encode) -> None:
    with Archive(Path(os.environ["MDRNETS_DATA"]) / "labels_celebamask_256.zip") as real:
        maps = [decode_labels(real.read(stem), stem) for stem in list(real.members)[:5]]
    members = {
        f"{image:05}_{CELEBAMASK_CLASSES[label]}.png": encode((ids == label).astype(np.uint8) * 255)
        for image, ids in enumerate(maps)
        for label in np.unique(ids)
        if label
    }
    with Archive(write_zip(tmp_path / "parts.zip", members)) as labels:
        images = group_by_image(labels)
        for image, ids in enumerate(maps):
            np.testing.assert_array_equal(paint_label_map(labels, images[image]), ids)


def test_a_part_is_black_and_white(tmp_path, write_zip, encode) -> None:
    grey = _part(slice(0, 30))
    grey[40, 40] = 3
    for name, data in (
        ("grey", {"00007_hair.png": encode(grey)}),
        ("jpeg", {"00007_hair.png": encode(_part(slice(0, 30)), format="JPEG")}),
    ):
        with (
            Archive(write_zip(tmp_path / f"{name}.zip", data)) as labels,
            pytest.raises(UserError, match=rf"{name}\.zip: 00007_hair\.png "),
        ):
            paint_label_map(labels, group_by_image(labels)[7])


def test_a_part_with_two_files_is_named(tmp_path, write_zip, parts) -> None:
    path = write_zip(tmp_path / "parts.zip", parts | {"7_hair.png": b""})
    with Archive(path) as labels, pytest.raises(UserError, match=r"(?=.* 7_hair)(?=.* 00007_hair)"):
        group_by_image(labels)
