import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from mdrnets.dag.outside import MISSING, outside_state

KEY = "outside:sources.faces.path"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return _write(tmp_path / "faces.zip", {"1.png": b"one", "2.png": b"two"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("1.png", "below/2.png"):
        path = tmp_path / "faces" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"one")
    return tmp_path / "faces"


def _write(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return path


def _state(path: Path) -> str:
    return outside_state(str(path), Path("nowhere.json"), KEY)


def test_an_archive_is_known_by_its_content_alone(archive: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(archive, tmp_path / "copy.zip"))
    os.utime(copy, (1, 1))
    assert _state(copy) == _state(archive)
    same_size = _write(tmp_path / "other.zip", {"1.png": b"one", "2.png": b"twO"})
    assert same_size.stat().st_size == archive.stat().st_size
    assert _state(same_size) != _state(archive)


@pytest.mark.parametrize("change", ["content", "time", "name", "new", "gone"])
def test_a_change_in_a_folder_is_seen(folder: Path, change: str) -> None:
    before = _state(folder)
    assert _state(folder) == before
    below = folder / "below/2.png"
    {
        "content": lambda: below.write_bytes(b"longer"),
        "time": lambda: os.utime(below, (1, 1)),
        "name": lambda: below.rename(folder / "below/3.png"),
        "new": lambda: (folder / "3.png").touch(),
        "gone": below.unlink,
    }[change]()
    assert _state(folder) != before


def test_what_is_no_data_is_not_watched(folder: Path) -> None:
    before = _state(folder)
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints/1.png").touch()
    (folder / "Thumbs.db").touch()
    assert _state(folder) == before


def test_absent_data_have_the_state_of_the_record(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"parameters": {KEY: "recorded"}}))
    monkeypatch.setenv("FACES", str(tmp_path))
    assert outside_state("$FACES/faces.zip", record, KEY) == _state(archive)
    assert outside_state("$FACES/nowhere.zip", record, KEY) == "recorded"
    monkeypatch.delenv("FACES")
    assert outside_state("$FACES/faces.zip", record, KEY) == "recorded"
    assert outside_state("$FACES/faces.zip", record, "outside:other") == MISSING
    record.write_text("torn")
    assert outside_state("$FACES/faces.zip", record, KEY) == MISSING


def test_a_folder_in_a_circle_has_a_state(folder: Path) -> None:
    (folder / "above").symlink_to(folder)
    assert _state(folder) != MISSING
