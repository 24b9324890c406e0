import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch

from mdrnets.errors import UserError
from mdrnets.training.launching import launch, rank_here

FURTHER = """
import time
from mdrnets.training.launching import exit_when_parent_dies
exit_when_parent_dies()
print("ready", flush=True)
time.sleep(600)
"""
FIRST = f"""
import os, subprocess, sys
os.environ["MDRNETS_FIRST_RANK"] = str(os.getpid())
further = subprocess.Popen([sys.executable, "-c", {FURTHER!r}], stdout=subprocess.PIPE, text=True)
further.stdout.readline()
print(further.pid, flush=True)
sys.stdin.read()
"""


def test_one_device_needs_no_further_process() -> None:
    fabric = launch(device="cpu", devices=1, precision="bf16-mixed")
    assert (fabric.global_rank, fabric.world_size, fabric.device.type) == (0, 1, "cpu")
    assert not torch.distributed.is_initialized()
    with fabric.autocast():
        assert torch.nn.Linear(2, 2)(torch.zeros(1, 2)).dtype == torch.bfloat16


def test_fabric_leaves_no_slow_look_for_gpus_behind() -> None:
    launch(device="cpu", devices=1, precision="32-true")
    assert not torch.cuda._nvml_based_avail()


def test_a_missing_gpu_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=r"device: the profile asks for cuda, .* no GPU"):
        launch(device="cuda", devices=2, precision="32-true")


def test_the_rank_is_what_fabric_has_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert rank_here() == 0
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert rank_here() == 3


def test_a_further_process_ends_when_the_first_is_killed() -> None:
    first = subprocess.Popen(
        [sys.executable, "-c", FIRST],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert first.stdout is not None
    further = psutil.Process(int(first.stdout.readline()))
    first.kill()
    first.communicate(timeout=60)
    assert not psutil.wait_procs([further], timeout=60)[1]
