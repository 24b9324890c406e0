import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mdrnets.errors import UserError
from mdrnets.runtime.gpus import lock_gpus

ROOT = Path(__file__).parents[2]
JOB = """
import logging, os, sys
from mdrnets.runtime.gpus import lock_gpus
logging.basicConfig(level="INFO", stream=sys.stdout, format="%(message)s")
logging.getLogger("filelock").setLevel("WARNING")
with lock_gpus(int(sys.argv[1]), share=int(sys.argv[2])):
    print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
    sys.stdin.read()
"""


class Job:
    """A process that locks GPUs and keeps them until it is told to end."""

    def __init__(self, count: int, share: int = 1) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", JOB, str(count), str(share)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def gpus(self) -> set[str]:
        return set(self.line().split(","))

    def end(self) -> None:
        self.process.communicate(timeout=30)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Three GPUs, as a stand-in for nvidia-smi lists them, and no locks."""
    listing = tmp_path / "nvidia-smi"
    listing.write_text("#!/bin/sh\nprintf 'GPU-a\\nGPU-b\\nGPU-c\\n'\n")
    listing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    # Deleted at the end, whatever a lock in this process has set.
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    return listing


def _lock(count: int) -> str:
    with lock_gpus(count):
        return os.environ.get("CUDA_VISIBLE_DEVICES", "all")


def test_a_job_without_gpus_changes_nothing(machine: Path) -> None:
    machine.unlink()
    assert _lock(0) == "all"


def test_jobs_side_by_side_have_gpus_of_their_own(machine: Path) -> None:
    jobs = [Job(1), Job(1), Job(1)]
    choices = [job.gpus() for job in jobs]
    assert set.union(*choices) == {"GPU-a", "GPU-b", "GPU-c"}
    for job in jobs:
        job.end()


def test_a_job_waits_until_enough_are_free_and_holds_none_meanwhile(machine: Path) -> None:
    first = Job(2)
    assert len(first.gpus()) == 2
    waiting = Job(2)
    assert waiting.line().startswith("waiting for 2 GPUs")
    single = Job(1)
    assert single.gpus() == {"GPU-c"}
    first.end()
    assert len(waiting.gpus()) == 2
    for job in (single, waiting):
        job.end()


def test_jobs_share_gpus_evenly_if_they_may(machine: Path) -> None:
    jobs = [Job(1, share=2) for _ in range(6)]
    gpus = [gpu for job in jobs for gpu in job.gpus()]
    assert sorted(gpus) == ["GPU-a", "GPU-a", "GPU-b", "GPU-b", "GPU-c", "GPU-c"]
    seventh = Job(1, share=2)
    assert seventh.line().startswith("waiting for 1 GPUs")
    for job in (*jobs, seventh):
        job.end()


def test_a_killed_job_gives_its_gpus_back(machine: Path) -> None:
    killed = Job(3)
    assert len(killed.gpus()) == 3
    killed.process.send_signal(signal.SIGKILL)
    killed.process.communicate(timeout=30)
    following = Job(3)
    assert len(following.gpus()) == 3
    following.end()


@pytest.mark.parametrize(
    ("visible", "count", "expected"),
    [
        ("2", 1, "GPU-c"),
        ("1, 2", 2, "GPU-b,GPU-c"),
        ("GPU-b,GPU-a", 1, "GPU-b"),
        ("MIG-x", 1, "MIG-x"),
    ],
)
def test_what_was_given_to_the_process_bounds_its_locks(
    machine: Path, monkeypatch: pytest.MonkeyPatch, visible: str, count: int, expected: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert _lock(count) == expected


@pytest.mark.parametrize(("visible", "seen"), [("", 0), ("-1", 0), ("0,7", 1), (None, 3)])
def test_too_few_gpus_are_explained(
    machine: Path, monkeypatch: pytest.MonkeyPatch, visible: str | None, seen: int
) -> None:
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with pytest.raises(UserError, match=rf"device: .* 4 .* {seen} "):
        _lock(4)


@pytest.mark.parametrize("kind", ["link", "dangling link", "file", "another user's folder"])
def test_a_folder_of_locks_that_another_user_may_have_made_is_refused(
    machine: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    folder, target = machine.with_name(f"mdrnets-gpus-{os.getuid()}"), machine.with_name("target")
    if kind == "file":
        folder.write_text("")
    elif kind == "another user's folder":
        folder = machine.with_name("mdrnets-gpus-4711")
        folder.mkdir()
        monkeypatch.setattr(os, "getuid", lambda: 4711)
    else:
        if kind == "link":
            target.mkdir()
        folder.symlink_to(target)
    with pytest.raises(UserError, match=rf"{folder}: "):
        _lock(1)
    assert not target.exists() or not list(target.iterdir())


def test_the_folder_of_locks_is_closed_to_others(machine: Path) -> None:
    folder = machine.with_name(f"mdrnets-gpus-{os.getuid()}")
    folder.mkdir(mode=0o755)
    assert _lock(1) == "GPU-a"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_machine_without_a_driver_has_no_gpu(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.unlink()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match=r"device: .* 1 .* 0 "):
        _lock(1)
