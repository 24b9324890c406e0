"""A bundle on a machine without network, and its results back in the project.

The other machine is a virtual environment of its own with PyTorch, SciPy, pandas and what they
need, linked from this one, and nothing else. Where Linux allows it, the run there has no network.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.workflow.conftest import Copy

pytestmark = pytest.mark.slow

PRESENT = ("torch", "scipy", "pandas")
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
NO_NETWORK = ("unshare", "--map-root-user", "--net")
SCORES = "runs/smoke/scores/rendered_a/mdrnets.csv"
INPUTS = (
    "runs/smoke/masks/rendered_a.csv",
    "runs/smoke/packed/rendered_a.npy",
    "runs/smoke/packed/rendered_a_labels.npy",
)


def _distributions() -> set[str]:
    """The names of `PRESENT` and of all that they need."""
    result: set[str] = set()
    waiting = list(PRESENT)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in result:
            result.add(name)
            needed = map(Requirement, metadata.requires(name) or ())
            waiting += [r.name for r in needed if not r.marker or r.marker.evaluate({"extra": ""})]
    return result


def _link_packages(target: Path) -> None:
    here = Path(sysconfig.get_path("purelib"))
    for name in _distributions():
        files = metadata.files(name) or []
        for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
            if (here / top).exists() and not (target / top).exists():
                (target / top).symlink_to(here / top)


@pytest.fixture
def other_machine(tmp_path: Path) -> Path:
    """The folder with its environment and the list of its packages."""
    there = tmp_path / "there"
    subprocess.run([sys.executable, "-m", "venv", there / "venv"], check=True)
    _link_packages(there / f"venv/lib/python{VERSION}/site-packages")
    listed = _run_there(there, "pip", "list", "--disable-pip-version-check")
    (there / "pip-list.txt").write_text(listed, encoding="utf-8")
    return there


def _run_there(there: Path, *command: str, folder: Path | None = None) -> str:
    """Run a command in the other environment, and return what it printed."""
    binaries = there / "venv/bin"
    hidden = ("PYTHONPATH", "VIRTUAL_ENV")
    done = subprocess.run(
        command,
        cwd=folder or there,
        env={k: v for k, v in os.environ.items() if k not in hidden}
        | {"PATH": f"{binaries}{os.pathsep}/usr/bin{os.pathsep}/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_bundle_runs_without_network_and_its_results_come_back(
    project_copy: Copy, other_machine: Path, tmp_path: Path
) -> None:
    here, there = project_copy.clone(tmp_path / "here"), other_machine
    here.snakemake("--", *INPUTS)
    bundled = here.run(
        *("python", "-m", "mdrnets", "bundle", "--python", VERSION),
        *("--have", str(there / "pip-list.txt"), "--output", str(there)),
        check=False,
    )
    if "the index of pip" in bundled.stdout:
        pytest.skip(f"no index of packages: {bundled.stdout}")
    assert bundled.returncode == 0, bundled.stdout
    assert (there / "mdrnets-smoke-wheels.zip").stat().st_size < 60e6
    for name in ("mdrnets-smoke.zip", "mdrnets-smoke-wheels.zip"):
        with zipfile.ZipFile(there / name) as archive:
            archive.extractall(there)

    project = there / "mdrnets-smoke"
    install = ("pip", "install", "--no-index", "--no-deps", "--find-links", "wheels")
    _run_there(there, *install, "-r", "wheels/requirements.txt", folder=project)
    packages = _run_there(there, "pip", "list", "--disable-pip-version-check").lower()
    assert "snakemake" in packages and "dvc" not in packages and "mlflow" not in packages
    isolated = subprocess.run([*NO_NETWORK, "true"], capture_output=True).returncode == 0
    run = ("snakemake", "--cores", "all", "--resources", "gpu=1")
    _run_there(there, *(NO_NETWORK if isolated else ()), *run, folder=project)
    assert (project / SCORES).is_file()
    shutil.rmtree(project / "wheels")

    imported = here.run("python", "-m", "mdrnets", "import-results", str(project)).stdout
    assert "14 jobs imported" in imported
    assert (here.root / SCORES).read_bytes() == (project / SCORES).read_bytes()
    here.run("python", "-m", "mdrnets", "records", "check")
    assert "Nothing to be done" in here.snakemake("-n", "--", SCORES).stdout
    here.run("python", "-m", "stages.code")
    stages = ("train_mdrnets@rendered_a", "complete_mdrnets@rendered_a")
    here.run("dvc", "commit", "--force", "--quiet", *stages)
    assert "up to date" in here.run("dvc", "status", *stages).stdout

    # An edit is noticed as if the files had been made here.
    code = here.root / "mdrnets/evaluation/scores.py"
    code.write_text(code.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
    output = here.snakemake("-n", "--", SCORES).stdout
    assert "rule evaluate:" in output and "rule train_mdrnets:" not in output
