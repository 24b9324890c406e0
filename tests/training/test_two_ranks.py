"""Two CPU processes train as one does on the whole batch, and stay alike."""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from mdrnets.training.launching import launch
from tests.helpers.tiny import TRAINED
from tests.helpers.tiny_networks import train_tiny
from tests.helpers.toy import FIRST, SECOND
from tests.helpers.two_ranks import (
    STOP,
    network_of_four,
    quantiser_after,
    vectors_of_four,
    watched_gradients,
)

pytestmark = pytest.mark.usefixtures("one_thread")

ROOT = Path(__file__).parents[2]
EXACT = ["recon", "deepfillv2", "mdrnets"]
"""Without BatchNorm, random numbers or a loss whose divisor depends on the batch."""

Load = Callable[[str], dict[str, Tensor]]
Alone = Callable[[str], tuple[dict[str, Tensor], dict[str, Tensor]]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What both processes have written: all of `Scenarios`, run once."""
    folder = tmp_path_factory.mktemp("two ranks")
    process = subprocess.run(
        [sys.executable, "-m", "tests.helpers.two_ranks", str(folder)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return folder


@pytest.fixture
def load(folder: Path) -> Load:
    """What rank 0 has saved under a name, once rank 1 has saved the same."""

    def load_both(name: str) -> dict[str, Tensor]:
        first, second = (
            load_file(folder / f"rank{rank}" / f"{name}.safetensors") for rank in (0, 1)
        )
        assert first.keys() == second.keys()
        for key, value in first.items():
            assert torch.equal(value, second[key]), key
        return first

    return load_both


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Alone:
    """State and gradients of the same training in one process, on whole batches."""

    @cache
    def train(name: str) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        torch.set_num_threads(1)
        trainable = network_of_four(name)
        gradients = watched_gradients(trainable)
        fabric = launch(device="cpu", devices=1, precision="32-true")
        train_tiny(trainable, tmp_path_factory.mktemp(name), fabric)
        return trainable.state_dict(), gradients

    return train


def test_what_the_ranks_combine(load: Load) -> None:
    result = load("collectives")
    both = torch.arange(6.0).view(2, 3).T
    assert result["plain"].tolist() == [10, 12, 14]
    assert torch.equal(result["crossed"], 2 * both + 1)
    assert torch.equal(result["mean"], both + 0.5)
    assert torch.equal(result["first"], both)
    assert result["number"] == 7 and result["biggest"] == 5


@pytest.mark.parametrize("name", ["toy", *TRAINED])
def test_all_ranks_end_with_the_same_weights_and_buffers(load: Load, name: str) -> None:
    assert load(name)


def test_all_ranks_see_the_losses_of_the_whole_batch(folder: Path) -> None:
    first, second = (
        (folder / f"rank{rank}" / "history.csv").read_text().splitlines() for rank in (0, 1)
    )
    assert first == second and len(first) == 1 + FIRST + SECOND


@pytest.mark.parametrize("name", EXACT)
def test_gradients_are_those_of_the_double_batch(load: Load, alone: Alone, name: str) -> None:
    _, expected = alone(name)
    result = load(f"{name}_gradients")
    assert result.keys() == expected.keys() and len(expected) > 10
    largest = max(gradient.abs().max().item() for gradient in expected.values())
    for key, gradient in expected.items():
        torch.testing.assert_close(result[key], gradient, rtol=0, atol=1e-5 * largest, msg=key)


def test_the_memory_is_that_of_the_double_batch(load: Load, alone: Alone) -> None:
    expected, _ = alone("mdrnets")
    result = load("mdrnets")
    assert torch.equal(result["memory.updates"], expected["memory.updates"])
    assert expected["memory.updates"].sum() > 10
    torch.testing.assert_close(result["memory.slots"], expected["memory.slots"], rtol=0, atol=1e-6)
    start = network_of_four("mdrnets").state_dict()["memory.slots"]
    assert (expected["memory.slots"] - start).abs().max() > 1e-4  # else all of this is no wonder


def test_a_codebook_is_that_of_the_double_batch(load: Load) -> None:
    result = load("quantiser")
    for key, value in quantiser_after(vectors_of_four()).items():
        torch.testing.assert_close(result[key], value, msg=key)


@pytest.mark.parametrize("name", ["toy_stopped", "toy_told"])
def test_a_training_that_stopped_ends_as_one_that_did_not(load: Load, name: str) -> None:
    whole, stopped = load("toy"), load(name)
    assert all(torch.equal(stopped[key], value) for key, value in whole.items())


def test_a_signal_to_one_rank_stops_all_after_the_same_step(folder: Path) -> None:
    first, second = (load_file(folder / f"rank{rank}" / "told.safetensors") for rank in (0, 1))
    assert first["saved"].tolist() == second["saved"].tolist() == [STOP]
    assert bool(first["heeded"]) and not second["heeded"]  # rank 0 alone speaks for the training


def test_batches_that_cannot_be_shared_evenly_are_refused(folder: Path) -> None:
    for rank in (0, 1):
        report = (folder / f"rank{rank}" / "uneven.txt").read_text()
        assert "phase reconstruct: " in report
