"""The project unpacked from an archive: no `.git` of its own, inside of another repository."""

import json
import subprocess
import sys

import pytest

from tests.workflow.conftest import Copy

SPLIT = "runs/smoke/splits/holes.csv"


@pytest.fixture(scope="module")
def unpacked_copy(project_copy: Copy, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    surrounding = tmp_path_factory.mktemp("surrounding")
    subprocess.run(["git", "init", "-q", str(surrounding)], check=True)
    Copy(surrounding).commit("not ours")
    folder = surrounding / "what? #1"
    folder.mkdir()
    archive = subprocess.run(
        ["git", "archive", "HEAD"], cwd=project_copy.root, check=True, capture_output=True
    )
    subprocess.run(["tar", "x"], cwd=folder, input=archive.stdout, check=True)
    return Copy(folder)


def test_snakemake_runs_and_no_commit_is_recorded(unpacked_copy: Copy) -> None:
    unpacked_copy.snakemake(SPLIT)
    records = [*unpacked_copy.root.glob("runs/smoke/records/*.json")]
    assert records
    for record in records:
        assert json.loads(record.read_text(encoding="utf-8"))["git"]["commit"] is None


def test_dvc_runs_after_make_told_it_locally(unpacked_copy: Copy) -> None:
    shared = (unpacked_copy.root / ".dvc/config").read_bytes()
    installed = f"{sys.prefix}/.complete"
    unpacked_copy.run("make", f"--old-file={installed}", f"VENV={sys.prefix}", "environment")
    assert "no_scm" in (unpacked_copy.root / ".dvc/config.local").read_text(encoding="utf-8")
    assert (unpacked_copy.root / ".dvc/config").read_bytes() == shared
    unpacked_copy.run("dvc", "repro", "split_holes")
    assert (unpacked_copy.root / SPLIT).is_file()


def test_make_reads_a_profile_in_quotes(unpacked_copy: Copy) -> None:
    params = unpacked_copy.root / "params.yaml"
    before = params.read_text(encoding="utf-8")
    params.write_text(before.replace("profile: smoke", 'profile: "smoke"', 1), encoding="utf-8")
    try:
        output = unpacked_copy.run("make", "--dry-run", "plan").stdout
    finally:
        params.write_text(before, encoding="utf-8")
    assert "mdrnets plan --profile smoke\n" in output


def test_dvc_stops_if_params_name_another_profile(unpacked_copy: Copy) -> None:
    params = unpacked_copy.root / "params.yaml"
    before = params.read_text(encoding="utf-8")
    params.write_text(before.replace("profile: smoke", "profile: demo", 1), encoding="utf-8")
    try:
        done = unpacked_copy.run("dvc", "repro", "split_holes", check=False)
    finally:
        params.write_text(before, encoding="utf-8")
    assert done.returncode and "make dvc.yaml" in done.stdout
