import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mdrnets.errors import UserError
from mdrnets.exchange.packed_files import PackedFile, pack_file, unpack_file

FOLDER = Path("inputs")
SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, max_side=5)
ARRAYS = st.one_of(
    hnp.arrays(np.uint8, st.tuples(*[st.integers(1, 6)] * 3, st.just(3))),
    hnp.arrays(bool, SHAPES),
    hnp.arrays(np.uint8, SHAPES),
    hnp.arrays(np.float32, SHAPES),
)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _pack(path: Path) -> PackedFile:
    with zipfile.ZipFile("bundle.zip", "w") as archive:
        packed = pack_file(path, archive, FOLDER)
    with zipfile.ZipFile("bundle.zip") as archive:
        archive.extractall()
    return packed


def _photographs(count: int, size: int) -> np.ndarray:
    """Smooth colours with a little noise."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 200, size)[:, None, None] + np.linspace(0, 40, size)[:, None]
    return (ramp + rng.integers(0, 3, (count, size, size, 3))).astype(np.uint8)


@settings(max_examples=30, deadline=None)
@given(array=ARRAYS)
def test_a_file_is_the_same_bytes_again(array: np.ndarray) -> None:
    path = Path("runs/tiny/packed.npy")
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array)
    before = path.read_bytes()
    packed = _pack(path)
    path.unlink()
    unpack_file(packed, FOLDER)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("array", "codec", "most"),
    [
        (_photographs(20, 32), "webp", 0.5),
        (np.arange(40_000).reshape(40, 1000) % 1000 < 300, "bits", 0.02),
        (np.zeros((10, 32, 32), np.uint8), "xz", 0.05),
    ],
)
def test_each_kind_of_array_has_its_codec(array: np.ndarray, codec: str, most: float) -> None:
    np.save("array.npy", array)
    assert _pack(Path("array.npy")).codec == codec
    assert Path("bundle.zip").stat().st_size < most * Path("array.npy").stat().st_size + 500


def test_many_images_become_several_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mdrnets.exchange.packed_files.WEBP_PIXELS", 40)
    np.save("images.npy", _photographs(5, 16))
    before = Path("images.npy").read_bytes()
    packed = _pack(Path("images.npy"))
    assert packed.parts == 3
    unpack_file(packed, FOLDER)
    assert Path("images.npy").read_bytes() == before


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"", b"\x93NUMPY and nothing"])
@pytest.mark.parametrize("name", ["split.csv", "damaged.npy"])
def test_any_other_file_is_kept_too(name: str, content: bytes) -> None:
    Path(name).write_bytes(content)
    packed = _pack(Path(name))
    Path(name).unlink()
    unpack_file(packed, FOLDER)
    assert Path(name).read_bytes() == content


@pytest.mark.parametrize("damage", ["remove", "truncate", "exchange"])
@pytest.mark.parametrize("array", [_photographs(2, 16), np.eye(9, dtype=bool), np.arange(9)])
def test_a_damaged_part_is_refused(array: np.ndarray, damage: str) -> None:
    np.save("array.npy", array)
    packed = _pack(Path("array.npy"))
    before = Path("array.npy").read_bytes()
    part = FOLDER / "array.npy.0000"
    if damage == "remove":
        part.unlink()
    elif damage == "truncate":
        part.write_bytes(part.read_bytes()[:-9])
    else:
        np.save("array.npy", array[::-1])
        _pack(Path("array.npy"))
        Path("array.npy").write_bytes(before)
    with pytest.raises(UserError, match=r"array\.npy"):
        unpack_file(packed, FOLDER)
    assert Path("array.npy").read_bytes() == before
