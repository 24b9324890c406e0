"""`--help` of every command and stage imports nothing heavy: otherwise it takes seconds."""

import subprocess
import sys
from pathlib import Path

import pytest

from mdrnets.commands.command_line import command_summaries

ROOT = Path(__file__).parents[1]
PROGRAMS = [
    "mdrnets",
    *(f"mdrnets {name}" for name in command_summaries()),
    *(f"stages.{path.stem}" for path in sorted((ROOT / "stages").glob("[!_]*.py"))),
]
HEAVY = {"PIL", "dvc", "jinja2", "matplotlib", "mlcroissant", "mlflow", "numpy", "pandas"} | {
    *("pydantic", "requests", "rocrate", "scipy", "skimage", "snakemake", "torch", "tqdm", "yaml")
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_imports_nothing_heavy(program: str) -> None:
    module, *command = program.split()
    script = f"""
import runpy, sys
sys.argv = {["program", *command, "--help"]}
try:
    runpy.run_module({module!r}, run_name="__main__", alter_sys=True)
except SystemExit as ended:
    print(ended.code, *{HEAVY} & sys.modules.keys(), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout.startswith("usage: ")
    assert done.stderr.split() == ["0"]
