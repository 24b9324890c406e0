"""The environment is pinned once: pip and conda get the same versions."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

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
            r"[a-z0-9-]+==[\w.]+( ; [\w .='!()]+)?\s+(--hash=sha256:[0-9a-f]{64}\s*)+", line
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
    wanted = {re.split(r"[\[>=<]", name)[0] for name in project["dependency-groups"]["dev"]}
    assert wanted <= _pins(DEVELOP).keys()
    assert not set(DEVELOPMENT.split()) & _pins(RUN).keys()


def test_both_locks_agree() -> None:
    run, develop = _pins(RUN), _pins(DEVELOP)
    shared = run.keys() & develop.keys()
    assert shared
    assert {name: run[name] for name in shared} == {name: develop[name] for name in shared}
