"""Every command that a text or a message advises is one that its program accepts."""

from collections import defaultdict
from pathlib import Path

import pytest

from tests.helpers.documented_commands import (
    NOT_OURS,
    check_command,
    commands_of_comments,
    commands_of_messages,
    commands_of_text,
    read_snakemake,
)
from tests.workflow.conftest import Copy

ROOT = Path(__file__).parents[2]
TEXTS = {
    name: commands_of_text((ROOT / name).read_text(encoding="utf-8"))
    for name in [
        *("README.md", "CONTRIBUTING.md", "KNOWN_ISSUES.md"),
        *("samples/README.md", "reports/reference/README.md"),
        *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")),
    ]
} | {"Snakefile": commands_of_comments((ROOT / "Snakefile").read_text(encoding="utf-8"))}
FEWEST = {
    "README.md": 47,
    "CONTRIBUTING.md": 14,
    "KNOWN_ISSUES.md": 7,
    "reports/reference/README.md": 5,
    "docs/adding_a_method.md": 8,
    "docs/mdrnets_choices.md": 1,
    "docs/own_photographs.md": 7,
    "docs/paper_scale.md": 23,
    "docs/performance.md": 2,
    "docs/real_faces.md": 3,
    "docs/sharing.md": 30,
    "Snakefile": 2,
}
"""How many commands a text has at least; otherwise the search for them misses some."""
MESSAGES = {
    str(path.relative_to(ROOT)): commands
    for folder in ("mdrnets", "stages", "workflow")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if (commands := commands_of_messages(path))
}
FEWEST_MESSAGES = 23


def _parameters(result: dict[str, list[list[str]]]) -> list[object]:
    pairs = [(name, words) for name, commands in result.items() for words in commands]
    unique = {" ".join(words): (name, words) for name, words in pairs}
    return [pytest.param(words, id=f"{name}: {text}") for text, (name, words) in unique.items()]


@pytest.mark.parametrize("name", FEWEST)
def test_no_command_of_a_text_is_missed(name: str) -> None:
    assert len(TEXTS[name]) >= FEWEST[name]


def test_no_command_of_the_messages_is_missed() -> None:
    assert sum(map(len, MESSAGES.values())) >= FEWEST_MESSAGES


@pytest.mark.parametrize("command", _parameters(TEXTS | MESSAGES))
def test_its_program_accepts_the_command(command: list[str], project_copy: Copy) -> None:
    check_command(command, project_copy.root)


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_names_the_profile(name: str) -> None:
    """The profile of the command may be another one than that of params.yaml."""
    for command in MESSAGES[name]:
        text = " ".join(command)
        if command[0] == "snakemake" and "--cores" in command:
            assert "--config profile=" in text, text
        if command[0] == "mdrnets" and command[1] not in ("export", "readme"):
            assert {"--profile", "--help"} & set(command), text


@pytest.mark.parametrize(
    "command",
    [
        "snakemake --cores all --config profile=real64 reproduce_table1",
        "dvc status --nothing",
        "make nothing",
        "mdrnets keep --nothing",
        "mdrnets nothing",
        "mlflow server --nothing",
        "python -m stages.download --profile paper nothing",
        "python benchmarks/training_step.py --nothing",
        "python -m samples.nothing",
        "nothing",
    ],
)
def test_a_wrong_command_is_found(command: str, project_copy: Copy) -> None:
    (words,) = commands_of_text(f"```bash\n{command}  # a comment\n```\n")
    assert words == command.split() and words[0] not in NOT_OURS
    with pytest.raises((Exception, SystemExit)):
        check_command(words, project_copy.root)


def test_snakemake_has_every_target(project_copy: Copy) -> None:
    targets: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for commands in TEXTS.values():
        for program, *arguments in commands:
            if program == "snakemake" and "--unlock" not in arguments:
                options, named = read_snakemake(arguments)
                targets[options] |= set(named)
    assert len(targets) > 2
    for options, named in targets.items():
        project_copy.run("snakemake", "-n", "--quiet", "all", *options, "--", *sorted(named))
