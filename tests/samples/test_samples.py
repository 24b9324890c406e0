import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mdrnets.data.classes import CLASSES
from samples import make_samples as samples
from samples.renderer.render import render
from samples.renderer.style import RENDERED_A, RENDERED_B, SceneStyle

COMMITTED = Path(__file__).parents[2] / "samples/archives"
ARCHIVES = (
    "holes.zip",
    "rendered_a_faces.zip",
    "rendered_a_labels.zip",
    "rendered_b_faces.zip",
    "rendered_b_labels.zip",
)
STYLES = pytest.mark.parametrize("style", [RENDERED_A, RENDERED_B], ids=lambda style: style.name)


def _members(name: str) -> Iterator[tuple[str, Image.Image]]:
    with zipfile.ZipFile(COMMITTED / name) as archive:
        for member in archive.namelist():
            yield member, Image.open(io.BytesIO(archive.read(member)))


def _read(name: str, member: str) -> np.ndarray:
    with zipfile.ZipFile(COMMITTED / name) as archive:
        return np.asarray(Image.open(io.BytesIO(archive.read(member))))


@STYLES
@pytest.mark.parametrize("index", [0, 1, 137, 254, 399, 420, 479])
def test_the_code_draws_what_is_committed(style: SceneStyle, index: int) -> None:
    image, labels = render(style, index, samples.SIZE)
    committed = _read(f"{style.name}_faces.zip", f"{index:05}.webp")
    assert np.abs(image.astype(int) - committed).max() <= 1  # rounding may differ by machine
    np.testing.assert_array_equal(labels, _read(f"{style.name}_labels.zip", f"{index:05}.png"))


@pytest.mark.parametrize("index", [0, 49, 50, 123, 277, 350, 499, 599])
def test_the_code_draws_the_holes_that_are_committed(index: int) -> None:
    hole = samples.draw_hole(index, per_step=samples.HOLES_PER_STEP)
    np.testing.assert_array_equal(hole, _read("holes.zip", f"{index:05}.png"))


@pytest.mark.parametrize("name", ARCHIVES)
def test_members_are_stored_numbered_timeless_and_different(name: str) -> None:
    with zipfile.ZipFile(COMMITTED / name) as archive:
        members = archive.infolist()
    count = 600 if name == "holes.zip" else 480
    suffix = ".webp" if "faces" in name else ".png"
    assert [member.filename for member in members] == [f"{k:05}{suffix}" for k in range(count)]
    assert {member.compress_type for member in members} == {zipfile.ZIP_STORED}
    assert {member.date_time for member in members} == {(1980, 1, 1, 0, 0, 0)}
    if "labels" not in name:  # two faces may have one outline
        assert len({member.CRC for member in members}) == count


def test_all_of_it_is_small() -> None:
    assert sum(path.stat().st_size for path in COMMITTED.iterdir()) <= 10_000_000


@STYLES
def test_every_class_occurs_in_every_tenth_of_a_set(style: SceneStyle) -> None:
    seen = []
    for _, image in _members(f"{style.name}_labels.zip"):
        assert (image.mode, image.size) == ("L", (96, 96))
        seen.append(np.bincount(np.asarray(image).ravel(), minlength=len(CLASSES)) > 0)
    occurs = np.array(seen)
    assert occurs.shape[1] == len(CLASSES)  # no id above 13
    assert occurs.reshape(10, 48, -1).any(axis=1).all()


@STYLES
def test_faces_are_rgb_of_one_size(style: SceneStyle) -> None:
    formats = {
        (image.format, image.mode, image.size) for _, image in _members(f"{style.name}_faces.zip")
    }
    assert formats == {("WEBP", "RGB", (96, 96))}


def test_holes_lie_in_their_steps_and_half_of_each_spares_the_border() -> None:
    ratios, at_border = [], []
    for _, image in _members("holes.zip"):
        assert (image.mode, image.size) == ("1", (96, 96))
        hole = np.asarray(image)
        ratios.append(hole.mean())
        at_border.append(hole.sum() > hole[1:-1, 1:-1].sum())
    steps = np.arange(600) // 100
    assert (10 * np.array(ratios) > steps).all()
    assert (10 * np.array(ratios) < steps + 1).all()
    np.testing.assert_array_equal(at_border, np.arange(600) % 100 >= 50)


def _shorten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "FACES", 2)
    monkeypatch.setattr(samples, "HOLES_PER_STEP", 2)


def test_drawing_again_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _shorten(monkeypatch)
    contents = []
    for name in ("first", "second"):
        assert samples.main(["--out", str(tmp_path / name)]) == 0
        contents.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert contents[0] == contents[1]
    assert sorted(contents[0]) == list(ARCHIVES)  # and nothing temporary


def test_an_interrupted_drawing_leaves_the_old_archives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _shorten(monkeypatch)
    old = tmp_path / "rendered_a_faces.zip"
    old.write_bytes(b"old")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(samples, "render", interrupt)
    with pytest.raises(KeyboardInterrupt):
        samples.main(["--out", str(tmp_path)])
    assert [path.name for path in tmp_path.iterdir()] == [old.name]
    assert old.read_bytes() == b"old"
