"""`python -m mdrnets`: its list of commands, their help, and exit codes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mdrnets.__main__ import main
from mdrnets.commands import command_line, sync
from mdrnets.commands.command_line import command_summaries, run_command
from mdrnets.errors import UserError

ROOT = Path(__file__).parents[2]
COMMANDS = {"crate", "croissant", "keep", "plan", "readme", "records", "status", "sync", "verify"}


REQUIRED = {
    "bundle": ["--python", "3.12", "--have", "pip-list.txt", "--output", "bundle"],
    "check-completions": ["folder"],
    "complete": ["photo.png", "--hole", "hole.png", "--output", "out.png"],
    "export-inputs": ["folder"],
    "import-results": ["there"],
    "records": ["pack"],
}
"""Arguments that a command must have."""


def _exit_code(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_the_help_lists_every_command_with_its_summary(capsys: pytest.CaptureFixture[str]) -> None:
    summaries = command_summaries()
    assert summaries.keys() >= COMMANDS
    assert _exit_code(["--help"]) == 0
    lines = {" ".join(line.split()) for line in capsys.readouterr().out.splitlines()}
    for name, summary in summaries.items():
        assert summary.endswith(".") and f"{name} {summary}" in lines


@pytest.mark.parametrize("name", command_summaries())
def test_the_help_of_a_command_is_its_docstring(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _exit_code([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: mdrnets {name}")
    assert command_summaries()[name] in text


@pytest.mark.parametrize("arguments", [[], ["--nonsense"], ["nonsense"]])
def test_an_unknown_command_lists_all(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _exit_code(arguments) == 2
    text = capsys.readouterr().err
    assert all(name in text for name in COMMANDS)


@pytest.mark.parametrize("name", command_summaries())
def test_an_unknown_argument_lists_what_there_is(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    valid = REQUIRED.get(name, [])
    assert _exit_code([name, *valid, "--nonsense"]) == 2
    text = capsys.readouterr().err
    option = {"readme": "--check", "unpack-bundle": "--help"}.get(name, "--profile")
    assert "--nonsense" in text and option in text


def test_a_user_error_is_one_sentence(configs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in COMMANDS - {"readme", "records"}:
        assert main([name, "--profile", "nowhere"]) == 1
        error = capsys.readouterr().err
        assert error.startswith("error: profiles/nowhere.yaml: ") and error.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code"), [(UserError("a.zip: broken"), 1), (KeyboardInterrupt(), 130)]
)
def test_exit_codes(monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int) -> None:
    def fail(arguments: list[str]) -> int:
        raise error

    monkeypatch.setattr(sync, "main", fail)
    assert run_command("sync", []) == code


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["records", "pack"], 1, "error: runs/demo/records: "),
        (["sync", "--nonsense"], 2, "usage: mdrnets sync"),
    ],
)
def test_the_module_runs_a_command_and_passes_its_exit_code_on(
    configs: Path, arguments: list[str], code: int, message: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "mdrnets", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == code
    assert ended.stderr.startswith(message)


def test_every_file_of_the_folder_is_a_command_but_the_shared_one() -> None:
    folder = Path(command_line.__file__).parent
    names = {path.stem for path in folder.glob("*.py")} - {"__init__", "command_line"}
    assert set(command_summaries()) == {name.replace("_", "-") for name in names}


@pytest.mark.parametrize("program", [["mdrnets", "results"], ["stages.pack", "celebahq", "images"]])
def test_without_the_environment_one_sentence_says_how_to_activate_it(program: list[str]) -> None:
    """`-S` hides every installed package."""
    done = subprocess.run(
        [sys.executable, "-S", "-m", *program], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "activate" in done.stderr


def test_a_missing_module_of_the_project_is_no_missing_package(
    configs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(arguments: list[str]) -> int:
        raise ModuleNotFoundError("no module", name="mine.method")

    monkeypatch.setattr(sync, "main", fail)
    (configs / "mine").mkdir()
    with pytest.raises(ModuleNotFoundError):
        run_command("sync", [])
