"""The chain from archives to packed arrays and the assignment, as the engines run it."""

import csv
import os
import re
import shutil
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from mdrnets.data.archive import Archive
from mdrnets.data.assignment import read_assignment
from mdrnets.data.classes import merge_celebamask_classes
from mdrnets.data.dataset import load_training_data
from mdrnets.data.decoding import decode_image, decode_labels, decode_mask
from mdrnets.data.png import encode_png
from mdrnets.files import sha256
from mdrnets.layout import Layout
from stages import download, masks, pack, split

PROJECT = Path(__file__).parents[2]
PROFILE = {
    "description": "twelve images and 24 holes",
    "image_size": 32,
    "device": "cpu",
    "devices": 1,
    "channels_last": False,
    "precision": "32-true",
    "threads": 1,
    "perceptual": "effnet-lite0",
    "frechet": "effnet-lite0",
    "sources": {
        "faces": {"files": 12, "licence": "MIT"},
        "labels": {"path": "$SOMEWHERE/labels", "files": 10, "licence": "MIT"},
        "holes": {"files": 24, "licence": "MIT"},
    },
    "datasets": {
        "small": {
            "title": "Small",
            "published_as": "FFHQ",
            "faces": "faces",
            "labels": {"source": "labels", "classes": "celebamask19"},
            "split": {"rule": "last", "test": 2, "validation": 3},
        },
        "bare": {
            "title": "Small, without labels",
            "published_as": "CelebA-HQ",
            "faces": "faces",
            "split": {"rule": "celebahq", "test_every": 3, "validation": 0},
        },
    },
    "holes": {"source": "holes", "per_step": 4, "train": 0.25, "validation": 0.25, "test": 0.5},
    "methods": ["mdrnets"],  # whose parser is trained on the label maps of the first data set
    "training": {"log_every": 1, "checkpoint_every": 1},
    "completion_batch": 1,
    "networks": {name: {} for name in ("parser", "coarse", "recon", "mdrnets")},
}
CHAIN = [
    (download, "faces"),
    (download, "labels"),
    (download, "holes"),
    (split, "small"),
    (split, "bare"),
    (split, "holes"),
    (pack, "images", "small"),
    (pack, "labels", "small"),
    (pack, "images", "bare"),
    (pack, "holes"),
    (masks, "small"),
    (masks, "bare"),
]


def _zip(path: Path, members: dict[str, bytes]) -> None:
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)


def _hole(number: int) -> np.ndarray:
    """A band of half a step's area, moved so that no two are equal."""
    area = (number // 4 + 0.5) / 10
    return np.roll(np.arange(1600) < 1600 * area, 40 * number).reshape(40, 40)


def _project(folder: Path) -> None:
    """A project's folder with twelve faces, ten of them labelled, and 24 holes."""
    rng = np.random.default_rng(0)
    (folder / "labels").mkdir(parents=True)
    faces = {}
    for n in range(12):
        faces[f"{n:05}.png"] = encode_png(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8))
        if n >= 2:
            ids = rng.integers(0, 19, (40, 40), dtype=np.uint8)
            (folder / "labels" / f"{n:05}.png").write_bytes(encode_png(ids))
    _zip(folder / "data" / "faces.zip", faces)
    holes = {f"{n:05}.png": encode_png(_hole(n).astype(np.uint8) * 255) for n in range(24)}
    _zip(folder / "data" / "holes.zip", holes)
    shutil.copy(PROJECT / "params.yaml", folder)
    (folder / "profiles").mkdir()
    (folder / "profiles" / "small.yaml").write_text(
        yaml.safe_dump(PROFILE, sort_keys=False), encoding="utf-8"
    )


def _run(stage, *arguments: str) -> int:
    return stage.main([*arguments, "--profile", "small"])


@pytest.fixture
def project(tmp_path, monkeypatch) -> Layout:
    """Inside of a project's folder, whose name has a space and a letter beyond ASCII."""
    folder = tmp_path / "my projéct"
    _project(folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SOMEWHERE", str(folder))
    return Layout("small")


@pytest.fixture
def built_layout(project) -> Layout:
    for stage, *arguments in CHAIN:
        assert _run(stage, *arguments) == 0, (stage, arguments)
    return project


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _products(layout: Layout) -> dict[str, str]:
    """The hash of every output of the data stages."""
    folders = [layout.run / name for name in ("raw", "splits", "packed", "masks")]
    return {str(p): sha256(p) for folder in folders for p in sorted(folder.iterdir())}


# -- the chain ---------------------------------------------------------------------------------


def test_the_chain_ends_in_what_training_reads(built_layout) -> None:
    rows = _rows(built_layout.split("small"))
    assert [row["id"] for row in rows] == [f"{n:05}" for n in range(12)]
    assert Counter(row["role"] for row in rows) == {"train": 7, "validation": 3, "test": 2}
    assert [row["role"] for row in rows[-2:]] == ["test", "test"]
    assert [row["labelled"] for row in rows] == ["0", "0"] + ["1"] * 10

    data = load_training_data(built_layout, "small", labels=True)
    assert data.images.shape == (12, 32, 32, 3)
    assert data.labels is not None
    assert data.labels.shape == (10, 32, 32)
    assert data.holes.shape == (24, 32, 32)
    assert data.labels.max() == 13
    assert data.hole_rows.size == 6
    assert set(data.labelled_rows) == {row for row in data.image_rows if row >= 2}
    assert (data.labelled_rows == data.label_rows + 2).all()


def test_packed_rows_are_the_files_of_the_table(built_layout) -> None:
    images = np.load(built_layout.images("small"))
    with Archive(Path("data/faces.zip")) as faces:
        for at, row in enumerate(_rows(built_layout.split("small"))):
            image = Image.fromarray(decode_image(faces.read(row["id"]), ""))
            expected = image.resize((32, 32), Image.Resampling.LANCZOS)
            np.testing.assert_array_equal(images[at], np.asarray(expected))
    third = Path("labels/00004.png").read_bytes()
    ids = merge_celebamask_classes(decode_labels(third, ""))
    expected = Image.fromarray(ids).resize((32, 32), Image.Resampling.NEAREST)
    np.testing.assert_array_equal(np.load(built_layout.labels("small"))[2], np.asarray(expected))


def test_every_bin_has_its_holes(built_layout) -> None:
    holes = np.load(built_layout.holes())
    steps = {row["id"]: (int(row["step"]), row["role"]) for row in _rows(built_layout.hole_split())}
    pairs = read_assignment(built_layout.assignment("small"))
    assert [(pair.bin, pair.image) for pair in pairs] == [
        (name, image) for name in ("1-20", "20-40", "40-60") for image in ("00010", "00011")
    ]
    low = {"1-20": 1, "20-40": 3, "40-60": 5}
    for pair in pairs:
        step, role = steps[pair.hole]
        assert role == "test"
        assert step in (low[pair.bin], low[pair.bin] + 1)
        assert pair.ratio == holes[pair.hole_row].mean()
        assert abs(pair.ratio - (step - 0.5) / 10) < 0.03
    # Two holes for validation in each bin, for three validation images.
    validation = read_assignment(built_layout.assignment("small"), role="validation")
    assert Counter(pair.bin for pair in validation) == {"1-20": 2, "20-40": 2, "40-60": 2}
    assert {pair.hole for pair in validation}.isdisjoint(pair.hole for pair in pairs)


def test_a_data_set_without_labels_follows_the_list_of_celebahq(built_layout) -> None:
    rows = _rows(built_layout.split("bare"))
    # 3 is of the list; of the others 0 1 2 4 5 6 7 8 9 10 11 each third one.
    assert [int(row["id"]) for row in rows if row["role"] == "test"] == [2, 3, 6, 9]
    assert {row["labelled"] for row in rows} == {"0"}


def test_the_same_input_gives_the_same_bytes(built_layout, tmp_path, monkeypatch) -> None:
    first = _products(built_layout)
    elsewhere = tmp_path / "elsewhere"
    _project(elsewhere)
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("SOMEWHERE", str(elsewhere))
    for stage, *arguments in CHAIN:
        assert _run(stage, *arguments) == 0
    assert _products(built_layout) == first
    assert len(first) == 3 * 2 + 3 + 4 + 2


# -- bad input ---------------------------------------------------------------------------------


def test_a_split_that_leaves_too_few_images_is_named_with_its_line(project, capsys) -> None:
    assert _run(download, "faces") == 0
    path = Path("profiles/small.yaml")
    text = path.read_text(encoding="utf-8")
    for old, new, key in (
        ("test_every: 3", "test_every: 9", "datasets.bare.split.rule"),
        ("validation: 0\n", "validation: 40\n", "datasets.bare.split.validation"),
    ):
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), encoding="utf-8")
        error = _error(capsys, split, "bare")
        assert re.match(rf"error: profiles/small\.yaml:\d+: {key}: ", error), error


def _error(capsys, stage, *arguments: str) -> str:
    """Run a stage that must fail; its one sentence."""
    capsys.readouterr()
    assert _run(stage, *arguments) == 1
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    return errors[0]


def test_a_leak_stops_the_split(project, capsys) -> None:
    with zipfile.ZipFile("data/faces.zip") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    _zip(Path("data/faces.zip"), members | {"00011.png": members["00000.png"]})
    assert _run(download, "faces") == 0
    assert _run(download, "labels") == 0
    message = _error(capsys, split, "small")
    assert "faces.zip: 00000.png (" in message and "00011.png (test)" in message
    assert not project.split("small").exists()


# -- the real archives -------------------------------------------------------------------------


@pytest.mark.skipif("MDRNETS_DATA" not in os.environ, reason="MDRNETS_DATA is not set")
def test_a_few_members_of_the_real_archives() -> None:
    folder = Path(os.environ["MDRNETS_DATA"])
    for name, digits in (("faces_celebahq_256", "27636"), ("faces_ffhq_256", "00000")):
        with Archive(folder / f"{name}.zip") as faces:
            stems = list(faces.members)
            assert stems[0] == digits
            for stem in (*stems[:2], *stems[-2:]):
                image = decode_image(faces.read(stem), faces.where(stem))
                assert image.shape == (256, 256, 3)
                assert image.std() > 10
    with Archive(folder / "labels_celebamask_256.zip") as labels:
        for stem in list(labels.members)[:4]:
            ids = merge_celebamask_classes(decode_labels(labels.read(stem), labels.where(stem)))
            assert {0, 1, 12} <= set(np.unique(ids))  # background, skin, hair
    with Archive(folder / "masks_nvidia_test_256.zip") as holes:
        for stem in list(holes.members)[:: len(holes.members) // 30]:
            ratio = decode_mask(holes.read(stem), holes.where(stem)).mean()
            assert 10 * ratio == pytest.approx(int(stem) // 2000 + 0.5, abs=0.6)
