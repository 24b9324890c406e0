import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from mdrnets.runtime.workers import local_rank

WORKER = """
import time
from mdrnets.runtime.workers import exit_when_parent_dies
exit_when_parent_dies()
print("ready", flush=True)
time.sleep(600)
"""
RANK_0 = f"""
import subprocess, sys
from mdrnets.runtime.workers import announce_parent
announce_parent()
worker = subprocess.Popen([sys.executable, "-c", {WORKER!r}], stdout=subprocess.PIPE, text=True)
worker.stdout.readline()
print(worker.pid, flush=True)
sys.stdin.read()
"""


def test_the_local_rank_is_what_fabric_has_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert local_rank() == 0
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert local_rank() == 3


def test_a_worker_exits_when_rank_0_is_killed() -> None:
    rank_0 = subprocess.Popen(
        [sys.executable, "-c", RANK_0],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert rank_0.stdout is not None
    worker = psutil.Process(int(rank_0.stdout.readline()))
    rank_0.kill()
    rank_0.communicate(timeout=60)
    assert not psutil.wait_procs([worker], timeout=60)[1]
