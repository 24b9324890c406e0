import re
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mdrnets.errors import UserError
from mdrnets.files import sha256
from mdrnets.training.state import Checkpoints, remove_states
from tests.helpers.hostile_pickle import HostilePickle

CONFIG = {"seed": 1, "options": {"lr": 0.1, "widths": [4, 8]}}


class Died(BaseException):
    """As if the process had died here."""


def _checkpoints(folder: Path, config: dict[str, Any] = CONFIG) -> Checkpoints:
    return Checkpoints(folder=folder / "state", fingerprint=config)


def _save(folder: Path, *steps: int) -> Checkpoints:
    checkpoints = _checkpoints(folder)
    for step in steps:
        checkpoints.save(step, {"step": step, "weights": torch.full((1000,), float(step))})
    return checkpoints


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    state: dict[Any, Any] = {
        "tensor": torch.randn(3, dtype=torch.float64),
        "ordered": OrderedDict(a=0.1, b="b"),
        "numbers": [1, 0.1, (True, None)],
        "text": "é",
        1: {2: 3},
    }
    _checkpoints(tmp_path).save(7, state)
    loaded = _checkpoints(tmp_path).load()
    assert loaded is not None
    assert torch.equal(loaded.pop("tensor"), state.pop("tensor"))
    assert loaded == state


def test_without_a_state_there_is_nothing_to_load(tmp_path: Path) -> None:
    assert _checkpoints(tmp_path).load() is None


def test_the_last_two_states_are_kept(tmp_path: Path) -> None:
    checkpoints = _save(tmp_path, 5, 50, 500)
    names = sorted(path.name for path in checkpoints.folder.iterdir())
    assert names == [
        f"step-{step:010d}.{ending}" for step in (50, 500) for ending in ("pt", "sha256")
    ]
    assert checkpoints.last == checkpoints.folder / "step-0000000500.pt"


def _halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flip_one_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _lose_checksum(path: Path) -> None:
    path.with_suffix(".sha256").unlink()


def _spoil_checksum(path: Path) -> None:
    path.with_suffix(".sha256").write_bytes(b"\xff\xfe\x00")


def _replace_content(path: Path) -> None:
    """As a state of another program, with a good checksum."""
    torch.save({"fingerprint": {}, "state": [1]}, path)
    path.with_suffix(".sha256").write_text(f"{sha256(path)}  {path.name}\n")


DAMAGES = [_halve, _flip_one_bit, _empty, _lose_checksum, _spoil_checksum, _replace_content]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_state_is_reported_and_the_one_before_it_taken(
    tmp_path: Path, damage: Any, caplog: pytest.LogCaptureFixture
) -> None:
    last = _save(tmp_path, 5, 10).last
    assert last is not None
    damage(last)
    loaded = _checkpoints(tmp_path).load()
    assert loaded is not None and loaded["step"] == 5
    assert len(caplog.messages) == 1 and str(last) in caplog.messages[0]
    assert not last.exists()  # else it would count as one of the two


@pytest.mark.parametrize("damage", DAMAGES)
def test_if_every_state_is_damaged_that_is_an_error(tmp_path: Path, damage: Any) -> None:
    checkpoints = _save(tmp_path, 5)
    damage(checkpoints.folder / "step-0000000005.pt")
    with pytest.raises(UserError, match=r"step-0000000005\.pt"):
        checkpoints.load()


def test_a_state_that_was_never_complete_does_not_count(tmp_path: Path) -> None:
    checkpoints = _save(tmp_path, 5)
    # What a process leaves that is killed after the checksum, before the state has its name.
    (checkpoints.folder / "step-0000000010.sha256").write_text("0  step-0000000010.pt\n")
    leftover = checkpoints.folder / ".step-0000000010.pt.123.part"
    leftover.write_bytes(b"half")
    loaded = checkpoints.load()
    assert loaded is not None and loaded["step"] == 5
    assert not leftover.exists()


def test_a_state_of_another_configuration_is_refused_with_what_differs(tmp_path: Path) -> None:
    _save(tmp_path, 5)
    other = {"options": {"lr": 0.2, "widths": [4, 8], "depth": 3}}
    with pytest.raises(UserError) as caught:
        _checkpoints(tmp_path, other).load()
    message = str(caught.value)
    assert "options.lr (0.1 there, 0.2 here)" in message
    assert "options.depth (None there, 3 here)" in message
    assert "seed (1 there, None here)" in message
    assert "widths" not in message


def test_hashes_that_differ_are_shown_by_their_first_digits(tmp_path: Path) -> None:
    _checkpoints(tmp_path, {"code": {"a.py": "0" * 64, "b.py": "1" * 64}}).save(5, {})
    other = _checkpoints(tmp_path, {"code": {"a.py": "0" * 64, "b.py": "2" * 64}})
    assert other.differences() == ["code.b.py (11111111… there, 22222222… here)"]


def test_the_differences_are_those_of_the_last_undamaged_state(tmp_path: Path) -> None:
    last = _save(tmp_path, 5, 10).last
    assert last is not None
    _halve(last)
    other = _checkpoints(tmp_path, {"seed": 2} | {"options": CONFIG["options"]})
    assert other.differences() == ["seed (1 there, 2 here)"]
    assert last.exists()  # only looked at
    _halve(tmp_path / "state" / "step-0000000005.pt")
    assert other.differences() == []


def test_a_process_that_dies_after_the_states_rename_leaves_its_checksum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints = _save(tmp_path, 5)
    replace = Path.replace

    def dies(path: Path, target: Path) -> None:
        replace(path, target)
        if target.suffix == ".pt":
            raise Died

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", dies)
        with pytest.raises(Died):
            checkpoints.save(10, {"step": 10})
    loaded = _checkpoints(tmp_path).load()
    assert loaded is not None and loaded["step"] == 10


def test_a_state_runs_no_code(tmp_path: Path) -> None:
    checkpoints = _save(tmp_path, 5)
    last = checkpoints.last
    assert last is not None
    hostile = HostilePickle(tmp_path / "ran")
    torch.save({"fingerprint": checkpoints.fingerprint, "state": hostile}, last)
    last.with_suffix(".sha256").write_text(f"{sha256(last)}  {last.name}\n")
    with pytest.raises(UserError, match=re.escape(str(last))):
        checkpoints.load()
    assert not hostile.ran


@pytest.mark.parametrize("removed", [0, 1, 2])
def test_a_process_that_dies_while_removing_states_leaves_a_good_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, removed: int
) -> None:
    checkpoints = _save(tmp_path, 5, 10)
    unlink = Path.unlink
    calls = iter(range(100))

    def dies(path: Path, missing_ok: bool = False) -> None:
        if next(calls) == removed:
            raise Died
        unlink(path, missing_ok=missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", dies)
        with pytest.raises(Died):
            remove_states(checkpoints.folder)
    loaded = _checkpoints(tmp_path).load()
    assert loaded is not None and loaded["step"] == 10
    remove_states(checkpoints.folder)
    assert not checkpoints.folder.exists()


@pytest.mark.parametrize("odd", [np.float64(1), object(), {1}, print])
def test_what_could_not_be_read_back_is_refused_when_it_is_saved(tmp_path: Path, odd: Any) -> None:
    checkpoints = _checkpoints(tmp_path)
    with pytest.raises(TypeError, match=r"state\.optimisers\.0\.lr"):
        checkpoints.save(1, {"optimisers": [{"lr": odd}]})
    assert checkpoints.last is None


def test_a_state_that_cannot_be_written_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints = _save(tmp_path, 5)

    def fail(content: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(UserError, match="the disk is full"):
        checkpoints.save(10, {"step": 10})
    loaded = _checkpoints(tmp_path).load()
    assert loaded is not None and loaded["step"] == 5
