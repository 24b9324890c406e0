import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mdrnets.data.download.ffhq import download_images, read_metadata
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
    for name, data in reversed(PICTURES.items()):
        image = {
            "file_url": server.url(f"/{name}"),
            "file_path": f"images1024x1024/00000/{name}",
            "file_size": len(data),
            "file_md5": hashlib.md5(data).hexdigest(),
            "pixel_size": [48, 48],
            "face_landmarks": [[1.5, 2.5]] * 68,
        }
        entries[str(int(name.removesuffix(".png")))] = {
            "category": "training",
            "metadata": {"license": "Public Domain Mark", "photo_title": "image"},
            "image": image,
            "thumbnail": image | {"file_path": f"thumbnails128x128/00000/{name}"},
            "in_the_wild": image | {"face_rect": [1, 2, 3, 4]},
        }
    path = tmp_path / "ffhq-dataset-v2.json"
    path.write_text(json.dumps(entries))
    return path


def _download(metadata: Path, folder: Path, *, downscale: int | None = None) -> None:
    download_images(read_metadata(metadata), folder, downscale=downscale, pause=0)


def test_the_list_names_the_aligned_images(metadata: Path) -> None:
    images = read_metadata(metadata)
    assert [image.name for image in images] == list(PICTURES)
    assert [image.bytes for image in images] == [len(data) for data in PICTURES.values()]


@pytest.mark.parametrize("text", ["", "[]", '{"0": {}}', '{"0": {"image": {"file_url": "x"}}}'])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ffhq-dataset-v2.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"ffhq-dataset-v2\.json: "):
        read_metadata(path)


def test_a_list_whose_numbers_are_shifted_is_refused(metadata: Path) -> None:
    entries = json.loads(metadata.read_text())
    metadata.write_text(json.dumps({str(int(key) + 1): entries[key] for key in entries}))
    with pytest.raises(UserError, match=r"ffhq-dataset-v2\.json: .*\d{5}\.png"):
        read_metadata(metadata)


def test_an_image_in_the_place_of_the_one_before_is_not_kept(
    server: Server, metadata: Path, tmp_path: Path
) -> None:
    names = list(PICTURES)
    for name, following in zip(names, [*names[1:], names[0]], strict=True):
        server.routes[f"/{name}"] = File(PICTURES[following])
    with pytest.raises(UserError, match=r"images/0000\d\.png: .*MD5 "):
        _download(metadata, tmp_path / "images")
    assert not list((tmp_path / "images").glob("0*.png"))


def test_all_images_are_downloaded_and_then_none(
    server: Server, metadata: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="mdrnets")
    folder = tmp_path / "images"
    _download(metadata, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == PICTURES
    assert [line.startswith(f"{folder}: ") for line in caplog.messages] == [True]
    _download(metadata, folder)
    assert len(caplog.messages) == 1
    assert len(server.requests) == 6


def test_images_are_scaled_down_as_packing_would(metadata: Path, tmp_path: Path) -> None:
    _download(metadata, tmp_path / "images", downscale=32)
    with Image.open(tmp_path / "images" / "00003.png") as image:
        downloaded = np.asarray(image)
    with Image.open(io.BytesIO(PICTURES["00003.png"])) as image:
        expected = np.asarray(image.resize((32, 32), Image.Resampling.LANCZOS))
    np.testing.assert_array_equal(downloaded, expected)


def test_what_is_there_stays_when_the_quota_is_spent(
    server: Server, metadata: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "images"
    server.routes["/00004.png"] = page(QUOTA)
    with pytest.raises(UserError, match=r"images/00004\.png: .* quota "):
        _download(metadata, folder)
    there = {path.name for path in folder.glob("*.png")}
    assert {"00000.png", "00001.png"} <= there and "00004.png" not in there
    server.routes["/00004.png"] = File(PICTURES["00004.png"])
    before = len(server.requests)
    _download(metadata, folder)
    assert len(server.requests) - before == 6 - len(there)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == PICTURES


def test_a_damaged_image_is_not_kept(server: Server, metadata: Path, tmp_path: Path) -> None:
    data = PICTURES["00002.png"]
    server.routes["/00002.png"] = File(data[:-1] + b"?")
    with pytest.raises(UserError, match=r"images/00002\.png: .*MD5 "):
        _download(metadata, tmp_path / "images")
    assert not (tmp_path / "images" / "00002.png").exists()
