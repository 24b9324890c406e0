import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mdrnets.data.assignment import Pair
from mdrnets.data.external import read_completions
from mdrnets.errors import UserError
from tests.helpers.damage import damaged_versions

SIZE = 8


def _bins() -> dict[str, list[Pair]]:
    return {
        name: [Pair(f"{row}", row, name, "0", 0, 0.1, "test") for row in (7, 3)]
        for name in ("1-20", "20-40")
    }


def _picture(value: int, size: int = SIZE) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (size, size), (value, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def _pictures() -> dict[str, bytes]:
    names = [f"{name}/{pair.image}.png" for name, pairs in _bins().items() for pair in pairs]
    return {name: _picture(10 * at) for at, name in enumerate(names)}


def _folder(root: Path, pictures: dict[str, bytes]) -> Path:
    for name, data in pictures.items():
        path = root / "given" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root / "given"


def _archive(root: Path, pictures: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(root / "given.zip", "w") as archive:
        for name, data in pictures.items():
            archive.writestr(name, data)
    return root / "given.zip"


@pytest.mark.parametrize("make", [_folder, _archive])
def test_images_come_in_the_order_of_the_assignment(
    make: Callable[[Path, dict[str, bytes]], Path], tmp_path: Path
) -> None:
    path = make(tmp_path, _pictures())
    images = list(read_completions(path, _bins(), size=SIZE))
    assert [image[0, 0, 0] for image in images] == [0, 10, 20, 30]
    assert all(image.dtype == np.uint8 and image.shape == (SIZE, SIZE, 3) for image in images)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"1-20/7.png": None}, r"given: .*1-20/7[^.]"),
        ({"1-20/8.png": b""}, r"given: .*1-20/8[^.]"),
        ({"1-20/7.png": _picture(0, 9)}, r"1-20/7\.png .*9×9.*8×8"),
        ({"1-20/7.png": b"text"}, r"1-20/7\.png "),
        ({"1-20/7.jpg": _picture(0)}, r"given: (?=.*7\.png).*7\.jpg"),
    ],
)
def test_what_does_not_fit_is_named(
    change: dict[str, bytes | None], message: str, tmp_path: Path
) -> None:
    pictures = {k: v for k, v in (_pictures() | change).items() if v is not None}
    with pytest.raises(UserError, match=message):
        list(read_completions(_folder(tmp_path, pictures), _bins(), size=SIZE))


@pytest.mark.parametrize("make", [_folder, _archive])
def test_all_bad_images_are_listed_and_hidden_ones_are_no_data(
    make: Callable[[Path, dict[str, bytes]], Path], tmp_path: Path
) -> None:
    hidden = {"__MACOSX/1-20/._7.png": b"x", "1-20/.ipynb_checkpoints/7.png": b"x"}
    pictures = dict.fromkeys(_pictures(), b"no picture") | hidden
    with pytest.raises(UserError, match=r"given\S*: 4 of 4 ") as raised:
        list(read_completions(make(tmp_path, pictures), _bins(), size=SIZE))
    assert all(name in str(raised.value) for name in _pictures())


def test_any_damaged_archive_is_named(tmp_path: Path) -> None:
    path = _archive(tmp_path, _pictures())
    refused = 0
    for content in damaged_versions(path.read_bytes(), seed="completions", count=60):
        path.write_bytes(content)
        try:
            assert len(list(read_completions(path, _bins(), size=SIZE))) == 4
        except UserError as error:
            assert str(error).startswith(f"{path}: ")
            refused += 1
    assert refused > 0


def test_a_damaged_member_is_named(tmp_path: Path) -> None:
    path = _archive(tmp_path, _pictures() | {"1-20/7.png": b"first content"})
    path.write_bytes(path.read_bytes().replace(b"first content", b"other content"))
    with pytest.raises(UserError, match=r"given\.zip: 1-20/7\.png: "):
        list(read_completions(path, _bins(), size=SIZE))


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.zip: "):
        list(read_completions(tmp_path / "nowhere.zip", _bins(), size=SIZE))
