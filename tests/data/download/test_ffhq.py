import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mdrnets.data.download.ffhq import fetch_images, read_metadata
from mdrnets.errors import UserError
from tests.helpers.server import QUOTA, File, Server, page, serving


def _picture(number: int) -> bytes:
    noise = np.random.default_rng(number).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


PICTURES = {f"{number:05}.png": _picture(number) for number in range(6)}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        server.routes |= {f"/{name}": File(data) for name, data in PICTURES.items()}
        yield server


@pytest.fixture
def metadata(server: Server, tmp_path: Path) -> Path:
    """In the form of `ffhq-dataset-v2.json`."""
    entries = {}
    for number, (name, data) in enumerate(reversed(PICTURES.items())):
        image = {
            "file_url": server.url(f"/{name}"),
            "file_path": f"images1024x1024/00000/{name}",
            "file_size": len(data),
            "file_md5": hashlib.md5(data).hexdigest(),
            "pixel_size": [48, 48],
            "face_landmarks": [[1.5, 2.5]] * 68,
        }
        entries[str(number)] = {
            "category": "training",
            "metadata": {"license": "Public Domain Mark", "photo_title": "image"},
            "image": image,
            "thumbnail": image | {"file_path": f"thumbnails128x128/00000/{name}"},
            "in_the_wild": image | {"face_rect": [1, 2, 3, 4]},
        }
    path = tmp_path / "ffhq-dataset-v2.json"
    path.write_text(json.dumps(entries))
    return path


def _fetch(metadata: Path, folder: Path, *, shrink: int | None = None) -> list[str]:
    said: list[str] = []
    fetch_images(read_metadata(metadata), folder, shrink=shrink, say=said.append, pause=0)
    return said


def test_the_list_names_the_aligned_images(metadata: Path) -> None:
    listed = read_metadata(metadata)
    assert [image.name for image in listed] == list(PICTURES)
    assert [image.bytes for image in listed] == [len(data) for data in PICTURES.values()]


@pytest.mark.parametrize("text", ["", "[]", '{"0": {}}', '{"0": {"image": {"file_url": "x"}}}'])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ffhq-dataset-v2.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"ffhq-dataset-v2\.json: not FFHQ's metadata"):
        read_metadata(path)


def test_all_images_are_fetched_and_then_none(
    server: Server, metadata: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "images"
    said = _fetch(metadata, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == PICTURES
    assert said[0].startswith(f"{folder}: fetching 6 of 6 images, 0 MiB; they and their archive")
    assert _fetch(metadata, folder) == []
    assert len(server.requests) == 6


def test_images_are_scaled_down_as_packing_would(metadata: Path, tmp_path: Path) -> None:
    _fetch(metadata, tmp_path / "images", shrink=32)
    with Image.open(tmp_path / "images" / "00003.png") as image:
        found = np.asarray(image)
    with Image.open(io.BytesIO(PICTURES["00003.png"])) as image:
        expected = np.asarray(image.resize((32, 32), Image.Resampling.LANCZOS))
    np.testing.assert_array_equal(found, expected)


def test_what_is_there_stays_when_the_quota_is_spent(
    server: Server, metadata: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "images"
    server.routes["/00004.png"] = page(QUOTA)
    with pytest.raises(
        UserError, match=r"00004\.png of FFHQ could not be fetched .* quota .* stays"
    ):
        _fetch(metadata, folder)
    there = {path.name for path in folder.glob("*.png")}
    assert {"00000.png", "00001.png"} <= there and "00004.png" not in there
    server.routes["/00004.png"] = File(PICTURES["00004.png"])
    before = len(server.requests)
    _fetch(metadata, folder)
    assert len(server.requests) - before == 6 - len(there)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == PICTURES


def test_a_damaged_image_is_not_kept(server: Server, metadata: Path, tmp_path: Path) -> None:
    data = PICTURES["00002.png"]
    server.routes["/00002.png"] = File(data[:-1] + b"?")
    with pytest.raises(UserError, match=r"00002\.png of FFHQ .* has the MD5 "):
        _fetch(metadata, tmp_path / "images")
    assert not (tmp_path / "images" / "00002.png").exists()
