"""Every network, stopped and resumed in every phase, ends like an uninterrupted training."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save

from mdrnets.training.launching import launch
from mdrnets.training.loop import TrainingProgress
from tests.helpers.tiny import TINY, TRAINED
from tests.helpers.tiny_networks import tiny_network, train_tiny

pytestmark = pytest.mark.usefixtures("one_thread")


class Died(BaseException):
    """Simulates the death of the process; unsaved state is lost."""


def _train(name: str, folder: Path, stop_at: int | None = None) -> bytes:
    def report(progress: TrainingProgress) -> None:
        if progress.step == stop_at:
            raise Died

    trainable = tiny_network(name)
    fabric = launch(device="cpu", devices=1, precision="32-true")
    train_tiny(trainable, folder, fabric, report=report)
    return save({name: value.contiguous() for name, value in trainable.state_dict().items()})


@pytest.mark.parametrize("name", TRAINED)
def test_a_stop_in_any_phase_changes_nothing(name: str, tmp_path: Path) -> None:
    unbroken = _train(name, tmp_path / "unbroken")
    ends = np.cumsum([phase.steps for phase in tiny_network(name).phases()])
    for end in ends:
        # The last step of the phase, and so at times before its only checkpoint.
        folder = tmp_path / f"stopped-at-{end}"
        with pytest.raises(Died):
            _train(name, folder, stop_at=int(end))
        assert _train(name, folder) == unbroken, f"stopped at step {end}"


def test_all_trained_networks_of_the_project_are_here() -> None:
    assert set(TINY) == set(TRAINED)
