"""A training whose processes are killed ends with the same bytes as an uninterrupted one.

These tests start the stage's command line and send signals at steps read from the curves of the
running training, so a signal can arrive during a step, an update or a checkpoint.
`test_resume.py` stops every phase at known steps, within one process.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import pytest

from mdrnets.files import sha256
from mdrnets.tracking.curves import curves_path, read_points
from mdrnets.tracking.record import read
from mdrnets.tracking.record_store import RecordStore
from tests.helpers.project import LAYOUT, ROOT, write_data
from tests.helpers.tiny import SIZE, TRAINED, write_tiny_configuration

CHECKPOINT_EVERY = 3
SECONDS = 600
"""Timeout in seconds, longer than any of these processes needs."""
TRAIN_ALL = f"""
import sys
from stages.train import main
sys.exit(any([main(["--profile", "tiny", "one", network]) for network in {TRAINED}]))
"""


class Training:
    """The training of one network in its own processes."""

    def __init__(self, project: Path, network: str) -> None:
        self.project, self.network = project, network
        self.record = RecordStore(project / LAYOUT.records).path(f"train-one-{network}")
        self.history = project / LAYOUT.history("one", network)
        others = (LAYOUT.model("one", network), LAYOUT.model_config("one", network))
        self.outputs = [self.history, *(project / path for path in others)]

    def interrupt(self, number: signal.Signals, *, after: int) -> str:
        """Start the training, send a signal when it reaches step `after`, and return its output."""
        process = self._start()
        deadline = time.monotonic() + SECONDS
        while self.last_step < after and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(number)
        _, log = process.communicate(timeout=SECONDS)
        assert process.returncode == (143 if number == signal.SIGTERM else -number), log
        assert not any(path.exists() for path in self.outputs)
        return log

    def finish(self) -> str:
        """Run the training to its end; return its output."""
        process = self._start()
        _, log = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, log
        return log

    def _start(self) -> subprocess.Popen[str]:
        stage = ("-m", "stages.train", "--profile", "tiny", "one", self.network)
        return _python(self.project, *stage)

    @property
    def last_step(self) -> int:
        """Return the last step in the curves."""
        return max(self.curve, default=0)

    @property
    def curve(self) -> list[int]:
        """Return the steps in the curves."""
        points, _ = read_points(curves_path(self.record))
        return [point["step"] for point in points]

    @property
    def last_saved_step(self) -> int:
        """Return the last step with a saved state, or 0."""
        states = (self.project / LAYOUT.states / "one").glob(f"{self.network}-*/step-*.pt")
        return max((int(path.stem.removeprefix("step-")) for path in states), default=0)

    def hashes(self) -> list[str]:
        return [sha256(path) for path in self.outputs]

    def attempts(self) -> int:
        record = read(self.record)
        assert record is not None and record.status == "FINISHED"
        return record.attempts


def _python(project: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=project,
        # The server is down: the training tries once to send its curves and continues.
        env=os.environ | {"PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": "http://127.0.0.1:9"},
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, steps: int) -> Path:
    """A project in which every network was trained, one after the other in one process."""
    project = tmp_path_factory.mktemp("uninterrupted")
    write_tiny_configuration(project, steps=steps, checkpoint_every=CHECKPOINT_EVERY)
    write_data(project, size=SIZE)
    process = _python(project, "-c", TRAIN_ALL)
    _, log = process.communicate(timeout=10 * SECONDS)
    assert process.returncode == 0, log
    return project


@pytest.fixture
def training(uninterrupted: Path, tmp_path: Path, network: str) -> Training:
    """A network that is not yet trained, in a copy of that project."""
    training = Training(Path(shutil.copytree(uninterrupted, tmp_path / "project")), network)
    shutil.rmtree(training.record.parent)
    for path in training.outputs:
        path.unlink()
    return training


def _phases(history: Path) -> list[list[int]]:
    """The steps of each phase, counted over all of them."""
    names = [line.partition(",")[0] for line in history.read_text().splitlines()[1:]]
    numbered = enumerate(names, start=1)
    return [[step for step, _ in rows] for _, rows in groupby(numbered, key=itemgetter(1))]


def _was_resumed(log: str, step: int) -> bool:
    return f"step-{step:010d}.pt: " in log


@pytest.mark.parametrize("steps", [12], scope="module")
@pytest.mark.parametrize("network", TRAINED)
def test_a_killed_training_ends_as_one_that_was_not(
    uninterrupted: Path, training: Training, network: str, steps: int
) -> None:
    after = random.Random(network).randint(CHECKPOINT_EVERY + 1, steps // 2)
    training.interrupt(signal.SIGKILL, after=after)
    saved = training.last_saved_step
    assert _was_resumed(training.finish(), saved)
    assert training.hashes() == Training(uninterrupted, network).hashes()
    assert training.curve == list(range(1, steps + 1))
    assert training.attempts() == 2


@pytest.mark.slow
@pytest.mark.parametrize("steps", [24], scope="module")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("network", TRAINED)
def test_so_does_one_that_is_killed_and_terminated_in_every_phase(
    uninterrupted: Path, training: Training, network: str, seed: int, steps: int
) -> None:
    reference = Training(uninterrupted, network)
    draw = random.Random(f"{network} {seed}")
    phases = _phases(reference.history)
    for phase in phases:
        quarter = len(phase) // 4
        early, later = phase[:quarter], phase[quarter:-quarter]
        for number, choices in ((signal.SIGKILL, early), (signal.SIGTERM, later)):
            saved = training.last_saved_step
            after = max(draw.choice(choices), training.last_step + 1)
            log = training.interrupt(number, after=after)
            assert _was_resumed(log, saved) or not saved
            assert training.last_step in phase
        assert training.last_saved_step == training.last_step  # SIGTERM loses no step

    saved = training.last_saved_step
    assert _was_resumed(training.finish(), saved)
    assert training.hashes() == reference.hashes()
    assert training.curve == list(range(1, steps + 1))
    assert training.attempts() == 2 * len(phases) + 1
