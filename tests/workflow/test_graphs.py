"""Both engines derive the same graph: commands, dependencies, parameters and outputs."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Pipeline


def _in_snakemake(profile: str) -> dict[str, dict[str, Any]]:
    """Output files → what the job that makes them declares, from Snakemake's own DAG."""
    printed = subprocess.run(
        [sys.executable, str(Path(__file__).parents[1] / "helpers/snakemake_jobs.py"), profile],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return json.loads(printed)


def _in_dvc() -> dict[str, dict[str, Any]]:
    """The same from DVC's resolved stages."""
    from dvc.repo import Repo

    jobs = {}
    for stage in Repo().index.stages:
        if stage.cmd is None:
            continue
        if stage.name == "code":  # Snakemake computes the digests in memory
            continue
        files, digest = [], None
        for dependency in stage.deps:
            if hasattr(dependency, "params"):
                (digest,) = dependency.read_params().values()
            else:
                files.append(dependency.def_path)
        outputs = sorted(out.def_path for out in stage.outs)
        jobs[outputs[0]] = {
            "command": stage.cmd,
            "inputs": sorted(files),
            "outputs": outputs,
            "digest": digest,
        }
    return jobs


def test_both_engines_derive_the_same_graph() -> None:
    profile = load_config().name
    Pipeline(load_config()).write_digests()
    in_snakemake = _in_snakemake(profile)
    in_dvc = _in_dvc()
    assert in_snakemake.keys() == in_dvc.keys()
    for output, job in in_dvc.items():
        assert in_snakemake[output] == json.loads(json.dumps(job)), output


def test_dvc_yaml_is_what_the_table_of_stages_says() -> None:
    before = Path("dvc.yaml").read_text(encoding="utf-8")
    from workflow.dvc_yaml import dvc_yaml

    assert dvc_yaml(Pipeline(load_config())) == before, "run `make dvc.yaml`"
    assert before.count("\n") <= 700, "people read it"


def test_dvc_computes_the_digests_again_after_an_edit_of_any_code() -> None:
    code = yaml.safe_load(Path("dvc.yaml").read_text(encoding="utf-8"))["stages"]["code"]
    for job in Pipeline(load_config()).jobs():
        for path in job.code:
            assert any(path.is_relative_to(watched) for watched in code["deps"]), path


def test_digests_and_dvc_yaml_do_not_depend_on_the_order_of_sets() -> None:
    code = (
        "from mdrnets.config.load import load_config\n"
        "from mdrnets.dag.pipeline import Pipeline; from workflow.dvc_yaml import dvc_yaml\n"
        "pipeline = Pipeline(load_config('paper'))\n"
        "print(dvc_yaml(pipeline), pipeline.digests())"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1


def _stage_command(stage: Path, log: Path) -> list[str]:
    """The command by which the rules run a stage, as Snakemake starts it."""
    rules = Path("workflow/rules/common.smk").read_text(encoding="utf-8")
    result = re.search(r'^RUN_STAGE = \(\n    "(.*)"\n    "(.*)"\n\)$', rules, re.MULTILINE)
    assert result is not None
    command = (
        (result[1] + result[2])
        .replace("{params.digest[code]}", "0")
        .replace("{params.command}", f"'{sys.executable}' '{stage}'")
        .replace("{log}", f"'{log}'")
    )
    return ["bash", "-c", f"set -euo pipefail; {command}"]


def test_sigterm_to_all_does_not_cut_the_last_words_of_a_stage(tmp_path: Path) -> None:
    stage, log = tmp_path / "stage.py", tmp_path / "log"
    stage.write_text(
        "import signal, sys, time\n"
        "def save(*_):\n"
        "    time.sleep(0.3)\n"
        "    print('saved')\n"
        "    sys.exit(143)\n"
        "signal.signal(signal.SIGTERM, save)\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    process = subprocess.Popen(
        _stage_command(stage, log), stdout=subprocess.DEVNULL, start_new_session=True
    )
    while not (log.exists() and log.read_text()):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(timeout=30) == 143
    assert log.read_text() == "ready\nsaved\n"


@pytest.mark.parametrize("exit_code", [0, 3])
def test_a_terminal_that_goes_away_fails_no_stage(tmp_path: Path, exit_code: int) -> None:
    """Snakemake would remove its outputs, such as the model of a training of days."""
    stage, log = tmp_path / "stage.py", tmp_path / "log"
    stage.write_text(
        f"import sys\nfor _ in range(9):\n    print('x' * 9999)\nsys.exit({exit_code})\n"
    )
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        _stage_command(stage, log), stdout=write, stderr=subprocess.PIPE, restore_signals=True
    )
    os.close(write)
    assert done.returncode == exit_code
    assert len(log.read_text()) == 9 * 10_000
    if Path("/dev/full").exists():
        with Path("/dev/full").open("w") as full:
            assert (
                subprocess.run(
                    _stage_command(stage, log), stdout=full, stderr=subprocess.DEVNULL
                ).returncode
                == exit_code
            )
