"""`mdrnets complete`, and the same from Python."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mdrnets
from mdrnets.commands.command_line import run_command
from mdrnets.evaluation import face_detection
from mdrnets.evaluation.alignment import Landmarks
from tests.helpers.project import LAYOUT, ROOT
from tests.helpers.toy import Toy
from tests.helpers.trained_toys import write_trained_toys

HOLE = (slice(20, 31), slice(25, 40))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Trained toys, a photograph and the mask of its hole."""
    monkeypatch.chdir(tmp_path)
    write_trained_toys(tmp_path)
    pixels = np.random.default_rng(5).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    Image.fromarray(pixels).save("photo.png")
    mask = np.zeros((50, 70), dtype=np.uint8)
    mask[HOLE] = 255
    Image.fromarray(mask).save("hole.png")
    (tmp_path / "LICENSE").write_text("MIT")
    return tmp_path


def _complete(*arguments: str) -> int:
    common = ["--hole", "hole.png", "--crop", "10,5,40", "--method", "toy"]
    return run_command("complete", ["photo.png", "--output", "out.png", *common, *arguments])


def test_only_the_hole_changes(project: Path) -> None:
    assert _complete() == 0
    before, after = (np.asarray(Image.open(name)) for name in ("photo.png", "out.png"))
    hole = np.asarray(Image.open("hole.png")) > 0
    assert np.array_equal(before[~hole], after[~hole]) and (before[hole] != after[hole]).any()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".bmp"])
def test_the_profile_of_the_colours_is_kept(project: Path, suffix: str) -> None:
    with Image.open("photo.png") as photo:
        photo.save("photo.png", icc_profile=b"wide")
    assert _complete("--output", f"out{suffix}") == 0
    kept = None if suffix == ".bmp" else b"wide"  # which BMP does not have
    assert Image.open(f"out{suffix}").info.get("icc_profile") == kept
    Image.open("photo.png").convert("CMYK").save("photo.png", "TIFF", icc_profile=b"ink")
    assert _complete("--output", f"out{suffix}") == 0
    assert "icc_profile" not in Image.open(f"out{suffix}").info


def test_pictures_of_16_bits_are_read_as_those_of_8(project: Path) -> None:
    for name in ("photo.png", "hole.png"):
        Image.open(name).convert("L").save(name)
    assert _complete() == 0
    expected = np.asarray(Image.open("out.png"))
    for name in ("photo.png", "hole.png"):
        Image.fromarray(np.asarray(Image.open(name)).astype(np.uint16) * 257).save(name)
    assert _complete() == 0
    assert np.array_equal(np.asarray(Image.open("out.png")), expected)
    Image.fromarray(np.zeros((50, 70), dtype=np.float32)).save("hole.png", "TIFF")
    assert _complete() == 1  # what is white in it, nobody knows


def test_an_exported_folder_gives_the_same_from_the_command_line_and_from_python(
    project: Path,
) -> None:
    assert _complete() == 0
    expected = np.asarray(Image.open("out.png"))
    assert run_command("export", ["--method", "toy", "exported"]) == 0
    assert _complete("--method", "exported") == 0
    assert np.array_equal(np.asarray(Image.open("out.png")), expected)
    completed = mdrnets.complete(
        mdrnets.load_method("exported"),
        Image.open("photo.png"),
        Image.open("hole.png"),
        square=mdrnets.Square(10, 5, 40),
    )
    assert np.array_equal(completed, expected)


def test_a_folder_in_place_of_the_output_is_named_before_any_work(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("out-2.png").mkdir()
    assert _complete("--samples", "2") == 1
    assert capsys.readouterr().err.startswith("error: out-2.png: found a folder")
    assert not Path("out-1.png").exists()


def test_samples_are_numbered_and_equal_ones_are_said(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _complete("--samples", "2") == 0
    output = capsys.readouterr()
    assert output.out.split() == ["out-1.png", "out-2.png"] and not output.err
    assert Path("out-1.png").read_bytes() != Path("out-2.png").read_bytes()
    monkeypatch.setattr(Toy, "complete", lambda self, masked, hole, generator: masked)
    assert _complete("--samples", "2") == 0
    assert "toy" in capsys.readouterr().err


def test_a_face_is_aligned_if_the_detector_is_installed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = Landmarks((29, 22), (38, 20), (32, 33), (38, 32))
    arguments = ["photo.png", "--hole", "hole.png", "--output", "out.png", "--method", "toy"]
    monkeypatch.setattr(face_detection, "detect_faces", lambda image: [face])
    monkeypatch.setattr(face_detection, "detector_is_installed", lambda: True)
    results = []
    for crop in ([], ["--crop", "face"]):
        assert run_command("complete", [*arguments, *crop]) == 0
        results.append(np.asarray(Image.open("out.png")))
    before, (after, named) = np.asarray(Image.open("photo.png")), results
    hole = np.asarray(Image.open("hole.png")) > 0
    assert np.array_equal(after, named)
    assert np.array_equal(before[~hole], after[~hole]) and (before[hole] != after[hole]).any()
    square = mdrnets.align_face(Image.open("photo.png"), Image.open("hole.png"))
    assert run_command("export", ["--method", "toy", "exported"]) == 0
    method = mdrnets.load_method("exported")
    assert np.array_equal(mdrnets.complete(method, before, hole, square=square), after)


@pytest.mark.parametrize(("crop", "named"), [([], "photograph"), (["--crop", "face"], "face")])
def test_without_the_detector_a_square_is_asked_for(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    crop: list[str],
    named: str,
) -> None:
    arguments = ["photo.png", "--hole", "hole.png", "--output", "out.png", "--method", "toy"]
    monkeypatch.setattr(face_detection, "detector_is_installed", lambda: False)
    assert run_command("complete", [*arguments, *crop]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {named}: ") and "--crop" in error


def test_a_rotation_in_the_file_is_heeded(project: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned right by 90°
    upright = Image.open("photo.png")
    upright.rotate(90, expand=True).save("turned.png", exif=exif)
    arguments = ["--hole", "hole.png", "--crop", "10,5,40", "--method", "toy"]
    assert run_command("complete", ["turned.png", "--output", "turned-out.png", *arguments]) == 0
    assert _complete() == 0
    turned, straight = (np.asarray(Image.open(n)) for n in ("turned-out.png", "out.png"))
    assert np.array_equal(turned, straight)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--crop", "10,5"], "--crop"),
        (["--hole", "nowhere.png"], "nowhere.png"),
        (["--hole", "params.yaml"], "params.yaml"),
        (["--output", "out.fits"], "out.fits"),  # Pillow reads it and cannot write it
        (["--dataset", "two"], str(LAYOUT.model("two", "toy"))),
        (["--method", "nothing"], "profiles/tiny.yaml: method nothing"),
    ],
)
def test_what_is_wrong_is_named(
    project: Path, arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _complete(*arguments) == 1
    assert capsys.readouterr().err.startswith(f"error: {named}")


def test_the_package_has_no_other_names() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        mdrnets.nothing  # noqa: B018


def test_the_names_are_listed_and_imported_late() -> None:
    text = (ROOT / "mdrnets/__init__.py").read_text(encoding="utf-8")
    assert "import torch" not in text
    assert all(hasattr(mdrnets, name) for name in mdrnets.__all__)
