"""Data outside of the project are an input in both engines, and their bad files can be mended."""

import os
import shutil
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from tests.workflow.conftest import Copy

LABELS = "runs/smoke/packed/rendered_a_labels.npy"


@pytest.fixture
def outside(
    project_copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Copy, Path]:
    """A project with the label maps in a folder and the holes in an archive outside of it."""
    copy, data = project_copy.clone(tmp_path / "clone"), tmp_path / "data"
    archives = copy.root / "samples/archives"
    with zipfile.ZipFile(archives / "rendered_a_labels.zip") as labels:
        labels.extractall(data / "labels")
    shutil.copy(archives / "holes.zip", data)
    profile = copy.root / "profiles/smoke.yaml"
    text = profile.read_text(encoding="utf-8")
    for name, path in (("rendered_a_labels", "labels"), ("holes", "holes.zip")):
        assert f"  {name}: {{" in text
        text = text.replace(f"  {name}: {{", f"  {name}: {{path: $OUTSIDE/{path}, ")
    profile.write_text(text, encoding="utf-8")
    copy.run("python", "workflow/dvc_yaml.py")
    copy.commit("data outside")
    monkeypatch.setenv("OUTSIDE", str(data))
    return copy, data


def _executions(copy: Copy) -> dict[str, str]:
    """Record → execution, of the stages that ran."""
    records = copy.root.glob("runs/smoke/records/*.json")
    return {path.stem: path.read_text(encoding="utf-8") for path in records}


def _ran(copy: Copy, before: dict[str, str]) -> set[str]:
    after = _executions(copy)
    return {name for name in after if after[name] != before.get(name)}


def test_snakemake_copies_changed_data_again(outside: tuple[Copy, Path]) -> None:
    copy, data = outside
    third = data / "labels/00003.png"
    good = third.read_bytes()
    Image.new("RGB", (96, 96)).save(third)
    failed = copy.snakemake(LABELS, check=False)
    assert f"error: {data}/labels: 00003.png " in failed.stdout

    third.write_bytes(good)
    copy.snakemake(LABELS)
    first = _executions(copy)
    copy.snakemake(LABELS)
    assert _ran(copy, first) == set()

    data.rename(data.with_name("away"))
    copy.snakemake(LABELS)
    assert _ran(copy, first) == set()


def test_dvc_copies_changed_data_again_and_runs_nothing_behind_equal_data(
    outside: tuple[Copy, Path],
) -> None:
    copy, data = outside
    copy.run("dvc", "repro", "--quiet", "split_holes", "split_rendered_a")
    first = _executions(copy)

    os.utime(data / "labels/00003.png")
    os.utime(data / "holes.zip")
    copy.run("dvc", "repro", "--quiet", "split_holes", "split_rendered_a")
    assert _ran(copy, first) == {"download-rendered_a_labels"}

    second = _executions(copy)
    with zipfile.ZipFile(data / "holes.zip", "a") as holes:
        holes.comment = b"another version"
    copy.run("dvc", "repro", "--quiet", "split_holes", "split_rendered_a")
    assert _ran(copy, second) == {"download-holes", "split-holes"}

    third = _executions(copy)
    data.rename(data.with_name("away"))
    copy.run("dvc", "repro", "--quiet", "split_holes", "split_rendered_a")
    assert _ran(copy, third) == set()
