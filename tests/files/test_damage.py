"""Each reader with damaged files: a UserError that names the file, or a result of the right kind.

Every file is cut at random places and gets random bytes at random places.
"""

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch

from mdrnets.data.archive import Archive
from mdrnets.data.assignment import Pair, read_assignment
from mdrnets.data.download.ffhq import read_metadata
from mdrnets.errors import UserError
from mdrnets.evaluation.summary import Validation
from mdrnets.files.archives import MAX_RATIO, open_zip, read_member
from mdrnets.files.arrays import map_array, read_tensors
from mdrnets.files.tables import read_rows, read_table, write_rows, write_table
from mdrnets.files.text import read_json, read_json_as, read_text
from mdrnets.tracking.curves import append_point, read_points
from mdrnets.tracking.record import Record, read
from mdrnets.training.history import History, read_history_rows
from tests.helpers.damage import damaged_versions

ROUNDS = 150
REMEDY = "make it again"
Content = Callable[[Path], None]
Reader = Callable[[Path], Any]


@dataclass(frozen=True)
class _Row:
    name: str
    count: int
    share: float


def _write_zip(path: Path, method: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.json", json.dumps({"name": "a" * 200}))
        archive.writestr("b.txt", b"0123456789" * 20)


def _read_zip(path: Path) -> dict[str, bytes]:
    with open_zip(path, remedy=REMEDY) as archive:
        return {name: read_member(archive, name, remedy=REMEDY) for name in archive.namelist()}


def _read_archive(path: Path) -> list[bytes]:
    with Archive(path) as archive:
        return [archive.read(stem) for stem in archive.members]


def _write_ffhq(path: Path) -> None:
    image = {"file_url": "https://x/1", "file_path": "a/00001.png", "file_size": 3, "file_md5": "0"}
    path.write_text(json.dumps({"1": {"category": "training", "image": image}}))


def _write_curves(path: Path) -> None:
    for step in range(5):
        append_point(path, step, {"loss": 0.5 / (step + 1), "l1": 1.5})


def _write_history(path: Path) -> None:
    history = History()
    for step in (1, 2):
        history.add("l1", 0.5)
        history.close_interval(phase="first", step=step, diagnostics={"slots_used_1": 3.0})
    path.write_text(history.to_csv())


def _write_validation(path: Path) -> None:
    values = {"images": 3, "trained": 0.5, "untrained": 1.0, "mean_fill": 0.7, "gmacs": 2.0}
    path.write_text(json.dumps(values))


_torch_load = partial(torch.load, weights_only=True, map_location="cpu")
_pair = Pair("00012", 3, "1-20", "h1", 4, 0.125, "test")
_array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
READERS: dict[str, tuple[Content, Reader, type]] = {
    "text": (
        lambda path: path.write_text("größer\n" * 5) and None,
        partial(read_text, remedy=REMEDY),
        str,
    ),
    "json": (
        lambda path: path.write_text('{"a": [1, 2.5, "ä", null], "b": {"c": [[[]]]}}') and None,
        partial(read_json, remedy=REMEDY),
        object,
    ),
    "json of a type": (
        lambda path: path.write_text('[{"name": "a", "count": 3, "share": 0.5}]') and None,
        lambda path: read_json_as(list[_Row], path, remedy=REMEDY),
        list,
    ),
    "options": (
        _write_validation,
        lambda path: read_json_as(Validation, path, remedy=REMEDY),
        Validation,
    ),
    "table": (
        lambda path: write_table(path, ("name", "text"), [("a", 'x, "y"'), ("b", "ü")]),
        lambda path: read_table(path, ("name", "text")),
        list,
    ),
    "rows": (
        lambda path: write_table(path, ("name", "count", "share"), [("a", 1, 0.5), ("b", 2, 1e-3)]),
        lambda path: read_rows(path, _Row),
        list,
    ),
    "assignment": (
        lambda path: write_rows(path, Pair, [_pair, _pair]),
        read_assignment,
        list,
    ),
    "history": (_write_history, read_history_rows, list),
    "array": (
        lambda path: np.save(path, _array),
        partial(map_array, remedy=REMEDY),
        np.ndarray,
    ),
    "safetensors": (
        lambda path: safetensors.numpy.save_file({"a": _array, "b": _array + 1.5}, path),
        lambda path: read_tensors(path, safetensors.numpy.load_file, remedy=REMEDY),
        dict,
    ),
    "safetensors for torch": (
        lambda path: safetensors.numpy.save_file({"a": _array}, path),
        lambda path: read_tensors(path, safetensors.torch.load_file, remedy=REMEDY),
        dict,
    ),
    "torch": (
        lambda path: torch.save({"a": torch.zeros(3), "b": {"step": 3}}, path),
        lambda path: read_tensors(path, _torch_load, remedy=REMEDY),
        object,
    ),
    "old torch": (
        lambda path: torch.save(
            {"a": torch.zeros(3), "b": [1.5]}, path, _use_new_zipfile_serialization=False
        ),
        lambda path: read_tensors(path, _torch_load, remedy=REMEDY),
        object,
    ),
    "zip": (_write_zip, _read_zip, dict),
    "archive": (_write_zip, _read_archive, list),
    "metadata of FFHQ": (_write_ffhq, read_metadata, list),
    "zip, lzma": (partial(_write_zip, method=zipfile.ZIP_LZMA), _read_zip, dict),
    "zip, bzip2": (partial(_write_zip, method=zipfile.ZIP_BZIP2), _read_zip, dict),
    "zip, stored": (partial(_write_zip, method=zipfile.ZIP_STORED), _read_zip, dict),
}
"""What is read → a writer of a good file, the reader, and the type of its result."""


@pytest.mark.parametrize("name", READERS)
@pytest.mark.filterwarnings("ignore")
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    write, read_file, kind = READERS[name]
    path = tmp_path / "damaged.npy"
    write(path)
    assert isinstance(read_file(path), kind)
    good = path.read_bytes()
    refused = 0
    for content in damaged_versions(good, seed=name, count=ROUNDS):
        path.write_bytes(content)
        try:
            assert isinstance(read_file(path), kind)
        except UserError as error:
            assert str(error).startswith(str(path))
            assert "\n" not in str(error)
            refused += 1
    assert refused > 0


def test_a_damaged_record_or_curve_is_none(
    tmp_path: Path, make_record: Callable[..., Record]
) -> None:
    record, curves = tmp_path / "a.json", tmp_path / "a.jsonl"
    record.write_text(make_record().model_dump_json())
    _write_curves(curves)
    for path, check in ((record, _check_record), (curves, _check_points)):
        for content in damaged_versions(path.read_bytes(), seed=path.name, count=ROUNDS):
            path.write_bytes(content)
            check(path)


def _check_record(path: Path) -> None:
    assert isinstance(read(path), Record | None)


def _check_points(path: Path) -> None:
    for point in read_points(path)[0]:
        assert isinstance(point["step"], int) and isinstance(point["time"], int)
        assert all(isinstance(value, float) for value in point["values"].values())


@pytest.mark.parametrize("name", READERS)
def test_a_missing_file_and_a_folder_are_named(tmp_path: Path, name: str) -> None:
    reader = READERS[name][1]
    for path in (tmp_path / "missing.bin", tmp_path):
        with pytest.raises(UserError) as raised:
            reader(path)
        assert str(raised.value).startswith(str(path))


@pytest.mark.parametrize("content", ["[" * 100_000, "1" * 5000, '{"a": NaN', "\x00"])
def test_json_that_breaks_a_parser_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(UserError, match=r"a\.json"):
        read_json(path, remedy=REMEDY)


@pytest.mark.parametrize("header", ["(" * 500, "{'descr': '|O', 'fortran_order': False}", "'''"])
def test_a_header_that_is_no_array_is_refused(tmp_path: Path, header: str) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())
    with pytest.raises(UserError, match=r"a\.npy"):
        map_array(path, remedy=REMEDY)


def test_pickles_and_archives_are_no_arrays(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    for write in (
        lambda file: np.save(file, np.array([{}], dtype=object)),
        lambda file: np.savez(file, a=_array),
        lambda file: np.save(file, np.array(3)),
        lambda file: np.save(file, np.zeros(3, dtype="U4")),
    ):
        with path.open("wb") as file:
            write(file)
        with pytest.raises(UserError, match=r"a\.npy"):
            map_array(path, remedy=REMEDY)


def _encrypt(content: bytearray) -> None:
    """Set the flag of encryption in all headers."""
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(signature)
        while at >= 0:
            content[at + offset] |= 1
            at = content.find(signature, at + 1)


def _use_deflate64(content: bytearray) -> None:
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = content.find(signature)
        while at >= 0:
            content[at + offset] = 9
            at = content.find(signature, at + 1)


def _break_crc(content: bytearray) -> None:
    content[content.find(b"PK\x01\x02") + 16] ^= 0xFF


@pytest.mark.parametrize("change", [_encrypt, _use_deflate64, _break_crc])
def test_what_cannot_be_unpacked_is_named_with_its_member(
    tmp_path: Path, change: Callable[[bytearray], None]
) -> None:
    path = tmp_path / "a.zip"
    _write_zip(path)
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"a\.zip: a\.json"):
        _read_zip(path)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("zeros.png", bytes(2**22))
    info = zipfile.ZipFile(path).infolist()[0]
    assert info.file_size > MAX_RATIO * info.compress_size
    with pytest.raises(UserError, match=r"bomb\.zip: zeros\.png"):
        _read_zip(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("large.png", bytes(2**20))
    with open_zip(path, remedy=REMEDY) as opened, pytest.raises(UserError, match=r"large\.png"):
        read_member(opened, "large.png", remedy=REMEDY, limit=2**20 - 1)


def test_an_archive_that_claims_too_much_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.zip"
    _write_zip(path)
    monkeypatch.setattr("mdrnets.files.archives.MAX_TOTAL_BYTES", 300)
    with pytest.raises(UserError, match=r"a\.zip"):
        _read_zip(path)
