"""The environment is pinned once: pip and conda get the same versions."""

import re
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from mdrnets.evaluation.face_detection import INSTALL

ROOT = Path(__file__).parents[1]
RUN, DEVELOP = "requirements.lock", "requirements-dev.lock"
REQUIRED = (
    "torch dvc snakemake pandas matplotlib pytorch-fid scikit-image mlflow safetensors pydantic"
)
DEVELOPMENT = "codespell hypothesis mypy pytest ruff selenium snakefmt"


def _lock(name: str) -> list[str]:
    """Each requirement in one line, with its hashes."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _pins(name: str) -> dict[str, str]:
    return dict(re.split("==| ", line)[:2] for line in _lock(name))


@pytest.mark.parametrize("name", [RUN, DEVELOP])
def test_every_version_is_exact_with_hashes_and_no_index_is_named(name: str) -> None:
    for line in _lock(name):
        assert re.fullmatch(
            r"[a-z0-9-]+==[\w.]+( ; [\w .='!()<>]+)?\s+(--hash=sha256:[0-9a-f]{64}\s*)+", line
        ), line


def test_conda_takes_the_same_versions() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    pinned = [re.sub(" +--hash.*", "", line) for line in _lock(RUN)]
    assert [line for line in pip if "==" in line] == pinned


@pytest.mark.parametrize("name", REQUIRED.split())
def test_the_required_packages_are_pinned(name: str) -> None:
    installed = version(name).split("+")[0]
    assert _pins(RUN)[name].split(".")[:1] == installed.split(".")[:1]


def test_tools_of_development_are_only_in_their_own_lock() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    expected = {re.split(r"[\[>=<]", name)[0] for name in project["dependency-groups"]["dev"]}
    assert expected <= _pins(DEVELOP).keys()
    assert not set(DEVELOPMENT.split()) & _pins(RUN).keys()


def test_the_face_detector_is_in_no_lock() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = {re.split("[>=<]", name)[0] for name in project["dependency-groups"]["face"]}
    assert names == set(INSTALL.split()[2:])
    assert not names & (_pins(RUN).keys() | _pins(DEVELOP).keys())


def test_both_locks_agree() -> None:
    run, develop = _pins(RUN), _pins(DEVELOP)
    shared = run.keys() & develop.keys()
    assert shared
    assert {name: run[name] for name in shared} == {name: develop[name] for name in shared}


def test_every_file_supports_the_same_versions_of_python() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    supported = SpecifierSet(project["requires-python"])
    minors = [f"3.{minor}" for minor in range(8, 20) if f"3.{minor}" in supported]
    classifiers = "Programming Language :: Python :: "
    assert [
        text.removeprefix(classifiers)
        for text in project["classifiers"]
        if text.startswith(classifiers)
    ] == minors
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert f"python{supported}" in {
        f"python{SpecifierSet(entry.removeprefix('python'))}"
        for entry in environment["dependencies"]
        if isinstance(entry, str) and entry.startswith("python")
    }
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    assert workflow["jobs"]["test"]["strategy"]["matrix"]["python"] == minors


@pytest.mark.parametrize(
    ("working", "chosen"),
    [
        (["python3.11", "python3.12", "python3.13", "python3"], "python3.13"),
        (["python3.11", "python3.12"], "python3.12"),
        (["python3"], "python3"),
        ([], "python3"),
    ],
)
def test_make_takes_the_newest_python_that_works(
    tmp_path: Path, working: list[str], chosen: str
) -> None:
    names = ("python3.11", "python3.12", "python3.13", "python3")
    for name in names:
        script = tmp_path / name
        script.write_text(f"#!/bin/sh\nexit {int(name not in working)}\n")
        script.chmod(0o755)
    makefile = tmp_path / "Makefile"
    makefile.write_text((ROOT / "Makefile").read_text() + "\nshow:\n\t@echo $(PYTHON)\n")
    (tmp_path / "requirements.lock").touch()
    output = _make(tmp_path, "show").stdout.split()
    assert output == [chosen]
    refused = _make(tmp_path, "environment")
    assert refused.stderr.startswith("error: python3: ") == (not working)


def test_the_environment_without_cuda_has_every_other_package(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    (tmp_path / RUN).write_text((ROOT / RUN).read_text())
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    for path in (python, tmp_path / "python3"):
        path.write_text('#!/bin/sh\necho "$@" >> calls\n')
        path.chmod(0o755)
    _make(tmp_path, ".venv/.complete", "TORCH=cpu", "PYTHON=python3")
    calls = (tmp_path / "calls").read_text().splitlines()
    pins = _pins(RUN)
    assert [word for call in calls for word in call.split() if word.startswith("torch")] == [
        f"torch=={pins['torch']}",
        f"torchvision=={pins['torchvision']}",
    ]
    text = (tmp_path / ".venv/cpu.lock").read_text()
    removed = pins.keys() - {name for name in pins if re.search(f"^{name}==", text, re.MULTILINE)}
    assert {"torch", "torchvision", "nvidia-cublas", "triton"} <= removed
    assert all(re.match("torch|triton|cuda-|nvidia-", name) for name in removed)
    assert text.count("--hash") > 1000 and "requirements.lock" not in "".join(calls)


def _make(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["make", "--silent", *arguments],
        cwd=folder,
        env={"PATH": f"{folder}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )


def test_the_package_its_citation_and_the_newest_change_have_one_version() -> None:
    package = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    released = next(heading for heading in headings if heading != "Unreleased")
    assert citation["version"] == package["version"]
    assert released == f"{package['version']} ({citation['date-released']})"
