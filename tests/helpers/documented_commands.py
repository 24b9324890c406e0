"""Find the commands in texts and in messages, and check each without running it."""

import argparse
import ast
import importlib
import re
import runpy
import shlex
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Pipeline

PLACEHOLDERS = {
    "PROFILE=…": "PROFILE=demo",
    "PROFILE": "demo",
    "gpu=N": "gpu=2",
    "M": "mdrnets",
    "COMMIT": "HEAD",
    "[CASE": None,
    "…]": None,
    "…": None,
}
NOT_OURS = {
    *("cd", "conda", "docker", "export", "git", "ln", "mkdir", "mkdocs"),
    *("pip", "pre-commit", "pytest", "python3", "source", "tar", "unzip", "venv", "zipfile"),
}
"""Commands of the system in the texts; they are not checked."""
_FENCE = re.compile(r"^ *```bash\n(.*?)^ *```", re.M | re.S)
_INLINE = re.compile(r"(?<!`)`([^`]+)`(?!`)")


def commands_of_text(text: str) -> list[list[str]]:
    """Return every command of a Markdown text: blocks of bash, then code inside of sentences."""
    result = []
    for block in _FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            result += _split(line)
    for span in _INLINE.findall(_FENCE.sub("", text)):
        result += [c for c in _split(" ".join(span.split())) if _is_command(c)]
    return result


def commands_of_comments(text: str) -> list[list[str]]:
    """Return the commands at the ends of a file's first lines, `# what it does: command`."""
    lines = text.split("\n\n")[0].splitlines()
    result = [c for line in lines for c in _split(line.lstrip("# ").rpartition(": ")[2])]
    return [command for command in result if _is_command(command)]


def commands_of_messages(path: Path) -> list[list[str]]:
    """Return what the messages of a Python file advise, with `demo` for values filled in."""
    result = []
    for text in _strings(ast.parse(path.read_bytes())):
        for span in _INLINE.findall(text):
            result += [c for c in _split(span.replace("\0", "demo")) if _is_command(c)]
    return result


def check_command(command: Sequence[str], folder: Path) -> None:
    """Let the command's own program read its arguments; nothing is run.

    Snakemake's targets are checked together, by `snakemake_runs`.

    Args:
        command: its words.
        folder: the project's.
    """
    program, *arguments = command
    if program in ("python", "python3") and arguments[0] == "-m":
        program, arguments = arguments[1], arguments[2:]
    elif program == "python":
        program, arguments = arguments[0], arguments[1:]
    if program in NOT_OURS:
        return
    if program.startswith("stages."):
        _check_stage(program, arguments)
    elif program.endswith(".py") or program.startswith("samples."):
        _check_script(program, arguments)
    else:
        {
            "make": lambda a: _check_make(a, folder),
            "snakemake": read_snakemake,
            "dvc": _check_dvc,
            "mdrnets": _check_mdrnets,
            "mlflow": _check_mlflow,
        }[program](arguments)


def read_snakemake(arguments: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return the options of a command that choose configuration and profile, and its targets."""
    from snakemake.cli import parse_args, parse_config

    _, options = parse_args(list(arguments))
    chosen = [f"{key}={value}" for key, value in parse_config(options.config).items()]
    profile = options.workflow_profile
    return (
        *(["--workflow-profile", str(profile)] if profile else []),
        *(["--config", *chosen] if chosen else []),
    ), list(options.targets)


class _ArgumentsRead(BaseException):
    """The arguments are valid."""


def _read_arguments(program: Callable[[], object]) -> argparse.Namespace:
    """Run a program up to where it has read its arguments."""
    parse = argparse.ArgumentParser.parse_args
    options: list[argparse.Namespace] = []

    def stop(self: argparse.ArgumentParser, args: Sequence[str] | None = None) -> None:
        options.append(parse(self, args))
        raise _ArgumentsRead

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", stop)
        with pytest.raises(_ArgumentsRead):
            program()
    return options[0]


def _check_mdrnets(arguments: Sequence[str]) -> None:
    from mdrnets.commands.command_line import run_command

    if arguments != ["--help"]:
        name, *others = arguments
        if others != ["--help"]:
            _read_arguments(lambda: run_command(name, others))


def _check_stage(program: str, arguments: Sequence[str]) -> None:
    if arguments == ["--help"]:
        return
    main = importlib.import_module(program).main
    options = vars(_read_arguments(lambda: main(arguments)))
    if program != "stages.code":
        expected = [value for value in options.values() if value in arguments]
        pipeline = Pipeline(load_config(options["profile"]))
        pipeline.find(program.removeprefix("stages."), [v for v in expected if v != "--help"][1:])


def _check_script(program: str, arguments: Sequence[str]) -> None:
    path = Path(program if program.endswith(".py") else program.replace(".", "/") + ".py")
    if not arguments:
        assert path.is_file()
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", [program, *arguments])
        patch.syspath_prepend(str(path.parent.resolve()))
        _read_arguments(lambda: runpy.run_path(str(path), run_name="__main__"))


def _check_make(arguments: Sequence[str], folder: Path) -> None:
    subprocess.run(["make", "-n", *arguments], cwd=folder, check=True, capture_output=True)


def _check_dvc(arguments: Sequence[str]) -> None:
    from dvc.cli import parse_args

    parse_args(list(arguments))


def _check_mlflow(arguments: Sequence[str]) -> None:
    from mlflow.cli import cli

    name, *others = arguments
    cli.commands[name].make_context(name, others)


def _split(line: str) -> list[list[str]]:
    """Return the commands of a line of the shell, without comments."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&;|")
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:  # prose with an apostrophe
        return []
    result: list[list[str]] = [[]]
    for word in words:
        if set(word) <= set("&;|"):
            result.append([])
        else:
            replaced = PLACEHOLDERS.get(word, word)
            result[-1] += [] if replaced is None else [replaced]
    return [command for command in result if command]


def _is_command(words: Sequence[str]) -> bool:
    programs = {"dvc", "make", "mdrnets", "mlflow", "python", "snakemake"}
    return words[0] in programs and len(words) > 1


def _strings(tree: ast.AST) -> Iterator[str]:
    """Yield the texts of a program, with NUL for values filled in, without docstrings."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        else:
            yield from _strings(node)
