"""The environment is pinned once: pip and conda get the same versions."""

from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
REQUIRED = (
    "torch dvc snakemake pandas matplotlib pytorch-fid scikit-image mlflow safetensors pydantic"
)


def _lock() -> list[str]:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_every_version_is_exact_and_no_index_is_named() -> None:
    for line in _lock():
        name, separator, rest = line.partition("==")
        assert separator and name and rest, line
        assert "://" not in line and not line.startswith("-"), line


def test_conda_takes_the_same_versions() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert [line.replace("'", '"') for line in pip] == _lock()


@pytest.mark.parametrize("name", REQUIRED.split())
def test_the_required_packages_are_pinned(name: str) -> None:
    pins = dict(line.split(" ;")[0].split("==") for line in _lock())
    installed = version(name).split("+")[0]
    assert pins[name].split(".")[:1] == installed.split(".")[:1]
