from pathlib import Path

import pytest

from mdrnets.commands.command_line import run_command
from mdrnets.errors import UserError
from mdrnets.files import dvc, write_text
from mdrnets.files.dvc import LOCK_FILE, RWLOCK, check_dvc_files

LOCK = """schema: '2.0'
stages:
  check:
    cmd: python -m stages.check --profile demo
    outs:
    - path: runs/demo/check.json
      hash: md5
      md5: 0123e456789a0123456789abcdef0123
      size: 2
"""
BLOCKED = '{"read": {}, "write": {"/a": {"pid": 1, "cmd": "dvc repro"}}}'
TORN_LOCKS = [
    "",
    LOCK[: LOCK.index(" '2.0'")],
    LOCK[: LOCK.index("  check")],
    LOCK[: LOCK.index(" runs")],
    LOCK[: LOCK.index("sh: md5")],
    LOCK[:-2],
]
TORN_RWLOCKS = ["", BLOCKED[:1], BLOCKED[:30], "null", "\0\0\0"]
DAMAGES = [(LOCK_FILE, text) for text in TORN_LOCKS] + [(RWLOCK, text) for text in TORN_RWLOCKS]


@pytest.fixture
def project(configs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(dvc, "WRITING_SECONDS", 0)
    write_text(LOCK_FILE, LOCK)
    write_text(RWLOCK, BLOCKED)
    return configs


def test_whole_files_and_none_are_accepted(project: Path) -> None:
    check_dvc_files()
    LOCK_FILE.unlink()
    RWLOCK.unlink()
    check_dvc_files()


@pytest.mark.parametrize(("path", "text"), DAMAGES)
def test_an_empty_or_torn_file_is_named(project: Path, path: Path, text: str) -> None:
    write_text(path, text)
    with pytest.raises(UserError, match=f"^{path}: .*remove it and run"):
        check_dvc_files()


def test_a_file_that_dvc_is_writing_is_read_again(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_text(RWLOCK, "")
    monkeypatch.setattr(dvc.time, "sleep", lambda seconds: write_text(RWLOCK, BLOCKED))
    check_dvc_files()


@pytest.mark.parametrize("arguments", [["status"], ["records", "pack"], ["records", "unpack"]])
def test_commands_say_so(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    write_text(RWLOCK, "")
    command, *others = arguments
    assert run_command(command, [*others, "--profile", "smoke"]) == 1
    assert capsys.readouterr().err.startswith(f"error: {RWLOCK}: ")
