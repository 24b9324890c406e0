import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.project import edit_yaml
from tests.helpers.slurm import slurm_cluster
from tests.workflow.conftest import Copy, environment

MODEL = "runs/smoke/models/rendered_a/recon.safetensors"
STATES = "runs/smoke/state/rendered_a/recon-*/step-*.pt"
RECORD = "runs/smoke/records/train-rendered_a-recon.json"
SNAKEMAKE = (
    "snakemake",
    *("--workflow-profile", "workflow/profiles/slurm"),
    # No accounting here, and no reason to wait.
    *("--slurm-status-command", "squeue"),
    "--slurm-no-account",
    *("--slurm-init-seconds-before-status-checks", "2"),
)
PATIENCE = 600  # seconds, of a machine with much else to do


@pytest.mark.slow
def test_what_slurm_preempts_goes_on_and_ends_with_the_same_bytes(
    project_copy: Copy, tmp_path: Path
) -> None:
    alone = _lasting(project_copy.clone(tmp_path / "alone"))
    alone.snakemake(MODEL)
    there = Copy(shutil.copytree(alone.root, tmp_path / "there", symlinks=True))
    (there.root / MODEL).unlink()
    (tmp_path / "slurm").mkdir()
    with slurm_cluster(tmp_path / "slurm", environment()) as variables:

        def slurm(*command: str) -> str:
            done = subprocess.run(
                command, env=variables, check=True, capture_output=True, text=True
            )
            return done.stdout

        with (tmp_path / "log").open("w") as log:
            run = subprocess.Popen(
                [*SNAKEMAKE, MODEL],
                cwd=there.root,
                env=variables,
                stdout=log,
                stderr=log,
            )
        try:
            _wait(lambda: any(there.root.glob(STATES)), run, tmp_path / "log")
            (job,) = slurm(
                *("squeue", "--noheader", "--noconvert", "--states=RUNNING"),
                *("--format", "%i %k %l %m"),  # number, comment, time, memory
            ).splitlines()
            number, *options = job.split()
            assert options == ["rule_train_recon_wildcards_rendered_a", "4:00:00", "16000M"]
            slurm("scontrol", "requeue", number)
            _wait(lambda: run.poll() is not None, run, tmp_path / "log")
        finally:
            run.terminate()
            run.wait()
    assert run.returncode == 0, (tmp_path / "log").read_text()[-3000:]
    assert json.loads((there.root / RECORD).read_text())["attempts"] == 2
    assert (there.root / MODEL).read_bytes() == (alone.root / MODEL).read_bytes()


def _lasting(copy: Copy) -> Copy:
    """Its training lasts long enough to be interrupted."""
    with edit_yaml(copy.root / "profiles/smoke.yaml") as profile:
        profile["networks"]["recon"]["steps"] = 150
        profile["training"]["checkpoint_every"] = 5
    return copy


def _wait(condition: Callable[[], bool], run: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end or (run.poll() is not None and not condition()):
            pytest.fail(log.read_text()[-3000:])
        time.sleep(0.2)
