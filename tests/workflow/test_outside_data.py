"""Data outside of the project are an input in both engines, and their bad files can be mended."""

import os
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.workflow.conftest import Copy

FACES, HOLES = "runs/smoke/packed/rendered_a.npy", "runs/smoke/packed/holes.npy"


@pytest.fixture
def outside(
    project_copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Copy, Path]:
    """A project with its faces in a folder and their label maps in an archive, both outside of it.

    The holes are the embedded ones.
    """
    copy, data = project_copy.clone(tmp_path / "clone"), tmp_path / "data"
    archives = copy.root / "samples/archives"
    with zipfile.ZipFile(archives / "rendered_a_faces.zip") as faces:
        faces.extractall(data / "faces")
    shutil.copy(archives / "rendered_a_labels.zip", data)
    profile = copy.root / "profiles/smoke.yaml"
    text = profile.read_text(encoding="utf-8")
    for name, path in (("faces", "faces"), ("labels", "rendered_a_labels.zip")):
        before = f"  rendered_a_{name}: {{"
        assert before in text
        text = text.replace(before, f"{before}path: $OUTSIDE/{path}, ")
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
    third = data / "faces/00003.webp"
    good = third.read_bytes()
    third.write_bytes(good[:200])
    failed = copy.snakemake(FACES, check=False)
    assert f"error: {data}/faces: 00003.webp " in failed.stdout

    third.write_bytes(good)
    copy.snakemake(FACES, HOLES)
    first = _executions(copy)
    assert {"download-rendered_a_faces", "download-holes"} <= first.keys()
    copy.snakemake(FACES, HOLES)
    assert _ran(copy, first) == set()

    data.rename(data.with_name("away"))
    copy.snakemake(FACES, HOLES)
    assert _ran(copy, first) == set()


def test_dvc_copies_changed_data_again_and_runs_nothing_behind_equal_data(
    outside: tuple[Copy, Path],
) -> None:
    copy, data = outside

    def repro() -> None:
        copy.run("dvc", "repro", "--quiet", "pack_holes", "pack_images_rendered_a")

    repro()
    first = _executions(copy)
    assert {"pack-images-rendered_a", "pack-holes"} <= first.keys()

    os.utime(data / "faces/00003.webp")
    os.utime(data / "rendered_a_labels.zip")
    repro()
    assert _ran(copy, first) == {"download-rendered_a_faces"}

    second = _executions(copy)
    with zipfile.ZipFile(data / "rendered_a_labels.zip", "a") as labels:
        labels.comment = b"another version"
    repro()
    assert _ran(copy, second) == {"download-rendered_a_labels", "split-rendered_a"}

    third = _executions(copy)
    data.rename(data.with_name("away"))
    repro()
    assert _ran(copy, third) == set()
