from pathlib import Path
from typing import Any

import pytest

from mdrnets.training.fingerprint import fingerprint, short_hash


def _fingerprint(folder: Path, **changes: Any) -> dict[str, Any]:
    arguments = {
        "parameters": {"seed": 1, "options": {"lr": 0.1, "steps": 5}},
        "inputs": [folder / "images"],
        "code": [folder / "code"],
    }
    return fingerprint(**(arguments | changes))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").write_text("pixels")
    (tmp_path / "code").write_text("lines")
    return tmp_path


def test_the_hash_knows_values_and_not_their_order(folder: Path) -> None:
    reordered = {"options": {"steps": 5, "lr": 0.1}, "seed": 1}
    first = short_hash(_fingerprint(folder))
    assert short_hash(_fingerprint(folder, parameters=reordered)) == first
    assert len(first) == 8


@pytest.mark.parametrize("changed", ["images", "code"])
def test_a_changed_file_changes_it(folder: Path, changed: str) -> None:
    before = _fingerprint(folder)
    (folder / changed).write_text("others")
    assert short_hash(_fingerprint(folder)) != short_hash(before)


def test_a_changed_parameter_changes_it(folder: Path) -> None:
    other = _fingerprint(folder, parameters={"seed": 2})
    assert short_hash(other) != short_hash(_fingerprint(folder))
