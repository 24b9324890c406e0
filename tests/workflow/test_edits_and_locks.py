"""Edits after a run, and two engines at once: on two stages, which take a second each."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.workflow.conftest import Copy

SPLIT = "runs/smoke/splits/holes.csv"
COMMANDS = {
    "snakemake": ("snakemake", "--cores", "all", SPLIT),
    "dvc": ("dvc", "repro", "split_holes"),
}


def _run_at_once(copy: Copy, engine: str, other: str) -> str:
    """Run both engines while the first one is in its first job, and the first one again.

    Returns:
        What the refused run printed.
    """
    with copy.stopped(*COMMANDS[engine]) as first:
        refused = copy.run(*COMMANDS[engine], check=False)
        copy.run(*COMMANDS[other])
        os.killpg(first.pid, signal.SIGCONT)
        assert first.wait(timeout=600) == 0
    assert refused.returncode
    return refused.stdout


@pytest.fixture(scope="module")
def made_at_once(
    project_copy: Copy, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Copy, str, bytes]:
    """A project, what a second Snakemake printed, and the split that was made."""
    copy = project_copy.clone(tmp_path_factory.mktemp("at_once") / "a clöne")
    refused = _run_at_once(copy, "snakemake", "dvc")
    return copy, refused, (copy.root / SPLIT).read_bytes()


def test_two_engines_at_once_damage_nothing(
    made_at_once: tuple[Copy, str, bytes], project_copy: Copy, tmp_path: Path
) -> None:
    copy, refused, split = made_at_once
    assert "lock" in refused and "Traceback" not in refused
    assert _ran(copy, "snakemake") == _ran(copy, "dvc") == set()

    turned = project_copy.clone(tmp_path / "a clöne")
    refused = _run_at_once(turned, "dvc", "snakemake")
    assert "lock" in refused and "Traceback" not in refused
    assert (turned.root / SPLIT).read_bytes() == split


def test_after_an_edit_of_the_rules_snakemake_is_idle_or_makes_the_files(
    made_at_once: tuple[Copy, str, bytes],
) -> None:
    copy, _, split = made_at_once
    common = "workflow/rules/common.smk"
    _edit(copy, common, "def log_file(stage):", "def log_file(stage):\n")
    _edit(copy, "Snakefile", "rule reproduce_all:", "\nrule reproduce_all:")
    assert _ran(copy, "snakemake") == set()

    _edit(copy, common, "tee {log} ||", "tee {log}  ||")  # the command of all jobs
    (copy.root / SPLIT).unlink()
    assert _ran(copy, "snakemake") == {"download-holes", "split-holes"}
    assert (copy.root / SPLIT).read_bytes() == split


def test_an_edit_after_a_run_is_not_recorded_and_dvc_runs_it(
    made_at_once: tuple[Copy, str, bytes],
) -> None:
    copy, _, _ = made_at_once
    _edit(copy, "mdrnets/data/splits.py", "\n\n", "\n# edited\n\n")
    refused = copy.run("make", "-o", "environment", "record", check=False)
    assert refused.returncode
    assert f"{SPLIT}: " in refused.stdout
    assert "job `split_holes`" in refused.stdout
    assert _ran(copy, "dvc") == {"split-holes"}


def test_only_the_stages_of_today_are_recorded(project_copy: Copy, tmp_path: Path) -> None:
    copy = project_copy.clone(tmp_path / "a clöne")
    current = (copy.root / "dvc.yaml").read_bytes()
    _edit(copy, "dvc.yaml", "split_holes:", "split_masks:")
    other = copy.run("make", "-o", "environment", "record", "PROFILE=demo", check=False)
    assert "params.yaml" in other.stdout
    copy.run("make", "-o", "environment", "record", check=False)  # there are no results
    assert (copy.root / "dvc.yaml").read_bytes() == current


def _edit(copy: Copy, name: str, old: str, new: str) -> None:
    path = copy.root / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def _ran(copy: Copy, engine: str) -> set[str]:
    """The jobs that an engine runs."""
    before = _executions(copy)
    copy.run(*COMMANDS[engine])
    after = _executions(copy)
    return {name for name in after if after[name] != before.get(name)}


def _executions(copy: Copy) -> dict[str, str]:
    records = copy.root.glob("runs/smoke/records/*.json")
    return {path.stem: json.loads(path.read_bytes())["execution"] for path in records}
