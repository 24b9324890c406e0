"""What only a GPU can show; all of it is skipped where there is none.

Fake tensors (`tests/methods/test_fake_gpu.py`) show devices, types and waits without one. Here are
kernels, numbers and memory: the same losses as on the CPU, the same bytes after an interruption,
jobs that share a GPU, and trainings on two.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from mdrnets.runtime.numerics import set_numerics
from mdrnets.training.launching import launch
from mdrnets.training.loop import TrainingProgress
from tests.helpers.project import ROOT
from tests.helpers.tiny import TRAINED
from tests.helpers.tiny_networks import tiny_network, train_tiny

pytestmark = pytest.mark.gpu

DEVICE = "cuda"
STEPS = 3
TOLERANCE = {"32-true": 1e-3, "bf16-mixed": 6e-2}
"""Of losses after some steps, relative to the CPU's."""


@pytest.fixture(autouse=True)
def deterministic() -> Iterator[None]:
    set_numerics(device=DEVICE, precision="32-true", threads=1)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture
def noise_of_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random numbers that are the same on both devices."""

    def on_cpu(draw: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def drawn(*arguments: Any, device: Any = None, **options: Any) -> Tensor:
            like = arguments[0] if isinstance(arguments[0], Tensor) else None
            if like is not None:
                return draw(like.cpu(), **options).to(device or like.device)
            return draw(*arguments, **options).to(device or "cpu")

        return drawn

    for name in ("randn_like", "randn", "randint"):
        monkeypatch.setattr(torch, name, on_cpu(getattr(torch, name)))


def _losses(name: str, folder: Path, device: str, precision: str) -> list[dict[str, float]]:
    """The history of a training, a row for each step."""
    seen: list[dict[str, float]] = []
    network = tiny_network(name, steps=STEPS, **({"dropout": 0.0} if name == "dsi" else {}))
    train_tiny(
        network,
        folder,
        launch(device=device, devices=1, precision=precision),
        log_every=1,
        report=lambda progress: seen.append(dict(progress.values)),
    )
    return seen


@pytest.mark.parametrize("precision", TOLERANCE)
@pytest.mark.parametrize("name", TRAINED)
def test_every_phase_has_the_losses_of_the_cpu(
    name: str, precision: str, tmp_path: Path, noise_of_the_cpu: None
) -> None:
    expected = _losses(name, tmp_path / "cpu", "cpu", precision)
    result = _losses(name, tmp_path / "gpu", DEVICE, precision)
    assert len(result) == len(expected) == STEPS
    for values, wanted in zip(result, expected, strict=True):
        tolerance = TOLERANCE[precision]
        assert values == pytest.approx(wanted, rel=tolerance, abs=tolerance)


class Stopped(Exception):  # noqa: N818
    """Ends a training between two states."""


def _stop(progress: TrainingProgress) -> None:
    if progress.step == 5:
        raise Stopped


INEXACT = {"parser", "recon", "pic", "dsi", "ict", "mdrnets"}
"""PyTorch has no deterministic backward pass of reflection padding and of cross-entropy of maps."""


@pytest.mark.parametrize("name", TRAINED)
def test_a_deterministic_training_is_repeated_and_resumed_exactly(
    name: str, tmp_path: Path
) -> None:
    fabric = launch(device=DEVICE, devices=1, precision="32-true")
    states = []
    for folder in ("whole", "again", "stopped"):
        network = tiny_network(name)
        if folder == "stopped":
            with pytest.raises(Stopped):
                train_tiny(network, tmp_path / folder, fabric, report=_stop)
            network = tiny_network(name)
        train_tiny(network, tmp_path / folder, fabric)
        states.append({key: value.cpu() for key, value in network.state_dict().items()})
    tolerance = 1e-3 if name in INEXACT else 0
    for other in states[1:]:
        torch.testing.assert_close(other, states[0], rtol=tolerance, atol=tolerance)


JOB = """
import sys, torch
from mdrnets.runtime.gpus import lock_gpus
with lock_gpus(1, share=2):
    ones = torch.ones(512, 512, device="cuda")
    print(int((ones @ ones).sum()), torch.cuda.get_device_properties(0).uuid, flush=True)
    sys.stdin.read()
"""


def test_two_jobs_compute_on_one_gpu_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # the folder of the locks
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", JOB],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    lines = [job.stdout.readline() for job in jobs if job.stdout is not None]  # both hold it now
    for job in jobs:
        job.communicate(timeout=60)
    assert lines[0] == lines[1] and lines[0].startswith(f"{512**3} ")


@pytest.mark.gpu(2)
def test_two_gpus_hold_the_same_weights(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "tests.helpers.two_ranks", str(tmp_path), "--device", "cuda"],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        timeout=600,
        check=True,
    )
    for name in TRAINED:
        first, second = (
            load_file(tmp_path / f"rank{rank}" / f"{name}.safetensors") for rank in (0, 1)
        )
        for key, value in first.items():
            assert torch.equal(second[key], value), f"{name}: {key}"
