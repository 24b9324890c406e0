"""The image with the environment; it is built where a Docker daemon runs."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]


def _has_daemon() -> bool:
    docker = shutil.which("docker")
    return (
        docker is not None and subprocess.run([docker, "info"], capture_output=True).returncode == 0
    )


def test_its_python_is_supported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    image = re.search(r"^FROM python:([\d.]+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert image is not None and image[1] in SpecifierSet(project["requires-python"])


def test_what_runs_and_downloads_leave_stays_outside() -> None:
    """Above all data sets, whose licences do not allow copies."""
    git, docker = (
        {line.strip("/") for line in (ROOT / name).read_text().splitlines()}
        for name in (".gitignore", ".dockerignore")
    )
    made = {line for line in git if not line.startswith((".", "*", "!", "__"))}
    assert {"data", "runs", "inputs", "bundle"} <= made
    assert made <= docker


@pytest.mark.slow
def test_it_is_built_and_runs() -> None:
    if not _has_daemon():
        pytest.skip("needs a Docker daemon")
    subprocess.run(["docker", "build", "--tag", "mdrnets-test", "."], cwd=ROOT, check=True)
    command = ["docker", "run", "--rm", "mdrnets-test", "snakemake", "-n", "reproduce_table1"]
    subprocess.run(command, check=True)
