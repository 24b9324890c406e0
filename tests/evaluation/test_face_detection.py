"""Finding the face to align: with given landmarks, and with the real detector."""

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mdrnets.errors import UserError
from mdrnets.evaluation import face_detection
from mdrnets.evaluation.alignment import Landmarks
from mdrnets.evaluation.face_detection import align_face, detect_faces, detector_is_installed

LEFT = Landmarks((20, 40), (30, 40), (22, 55), (28, 55))
RIGHT = Landmarks((120, 40), (130, 40), (122, 55), (128, 55))
IMAGE = np.zeros((90, 160, 3), dtype=np.uint8)
needs_detector = pytest.mark.skipif(
    not detector_is_installed(), reason=f"needs `{face_detection.INSTALL}`"
)
needs_data = pytest.mark.skipif(
    "MDRNETS_DATA" not in os.environ, reason="needs real faces in $MDRNETS_DATA"
)


def _hole(columns: slice) -> np.ndarray:
    hole = np.zeros(IMAGE.shape[:2], dtype=bool)
    hole[40:50, columns] = True
    return hole


@pytest.mark.parametrize(("columns", "centre"), [(slice(20, 30), 25.5), (slice(120, 130), 125.5)])
def test_of_several_faces_the_one_with_the_hole_is_taken(
    columns: slice, centre: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(face_detection, "detector_is_installed", lambda: True)
    monkeypatch.setattr(face_detection, "detect_faces", lambda image: [LEFT, RIGHT])
    assert align_face(IMAGE, _hole(columns)).centre[0] == centre


def test_a_photo_without_a_face_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_detection, "detector_is_installed", lambda: True)
    monkeypatch.setattr(face_detection, "detect_faces", lambda image: [])
    with pytest.raises(UserError, match=r"^photograph: .*--crop"):
        align_face(IMAGE, _hole(slice(20, 30)))


def test_without_the_extra_its_installation_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_detection, "find_spec", lambda module: None)
    with pytest.raises(UserError, match=face_detection.INSTALL):
        align_face(IMAGE, _hole(slice(20, 30)))


@needs_detector
def test_the_detector_finds_no_face_in_noise() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    assert list(detect_faces(noise)) == []


@needs_detector
@needs_data
def test_faces_of_ffhq_are_found_where_they_were_aligned() -> None:
    """In larger and turned photographs too, their square is the image that FFHQ cut."""
    for face in _faces_of_ffhq(2):
        degrees, side = 12, 320
        large = Image.new("RGB", (600, 450), (90, 110, 100))
        large.paste(face.resize((side, side), Image.Resampling.BICUBIC), (100, 50))
        middle = (100 + side / 2, 50 + side / 2)
        turned = large.rotate(-degrees, Image.Resampling.BICUBIC, center=middle)
        hole = np.zeros((450, 600), dtype=bool)
        hole[150:160, 200:210] = True
        square = align_face(np.asarray(turned), hole)
        assert np.abs(np.array(square.centre) - middle).max() < 0.05 * side
        assert abs(square.side / side - 1) < 0.1
        angle = np.degrees(np.arctan2(square.right[1], square.right[0]))
        assert abs(angle - degrees) < 4


def _faces_of_ffhq(count: int) -> Iterator[Image.Image]:
    path = Path(os.environ["MDRNETS_DATA"]) / "faces_ffhq_256.zip"
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist())[:count]:
            yield Image.open(io.BytesIO(archive.read(name))).convert("RGB")
