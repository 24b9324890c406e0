import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
from filelock import FileLock

from mdrnets.config.load import load_config
from mdrnets.dag import code
from mdrnets.errors import UserError
from mdrnets.files import sha256
from mdrnets.methods.building import load_network
from mdrnets.training import train_network
from stages.train import main
from tests.helpers import toy
from tests.helpers.project import LAYOUT, ROOT, write_configuration, write_data

OUTPUTS = [
    LAYOUT.model("one", "toy"),
    LAYOUT.history("one", "toy"),
    LAYOUT.model_config("one", "toy"),
]


@pytest.fixture
def project(process_state: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the part `base` is trained."""
    monkeypatch.chdir(tmp_path)
    write_configuration(tmp_path)
    write_data(tmp_path)
    assert main(["one", "base"]) == 0
    return tmp_path


def _hashes() -> list[str]:
    return [sha256(path) for path in OUTPUTS]


def _states() -> list[Path]:
    return sorted(LAYOUT.states.rglob("*.pt"))


def _stop_before_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave an unfinished training of `toy`: all steps taken, no output."""

    def fail(*arguments: object) -> None:
        raise UserError("stopped")

    with monkeypatch.context() as patch:
        patch.setattr(train_network, "save_weights", fail)
        assert main(["one", "toy"]) == 1


def test_a_training_writes_weights_history_and_configuration(project: Path) -> None:
    assert main(["one", "toy"]) == 0
    network = load_network(load_config(), LAYOUT, network="toy", dataset="one")
    assert isinstance(network, toy.Toy)
    saved = json.loads(LAYOUT.model_config("one", "toy").read_text())
    assert saved == {
        "network": "toy",
        "module": "tests.helpers.toy",
        "dataset": "one",
        "image_size": 32,
        "perceptual": "effnet-lite0",
        "seed": 2204,
        "options": {"steps": 11, "batch_size": 2, "width": 4, "lr": 0.001},
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
    }
    rows = LAYOUT.history("one", "toy").read_text().splitlines()
    assert rows[0].startswith("phase,step,l1,") and len(rows) == 1 + 4
    assert not _states()


def test_the_same_training_gives_the_same_bytes(project: Path) -> None:
    assert main(["one", "toy"]) == 0
    first = _hashes()
    for path in OUTPUTS:
        path.unlink()
    assert main(["one", "toy"]) == 0
    assert _hashes() == first


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_saves_the_state_and_the_same_command_goes_on(
    project: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: int
) -> None:
    assert main(["one", "toy"]) == 0
    uninterrupted = _hashes()
    for path in OUTPUTS:
        path.unlink()

    build = toy.build
    with monkeypatch.context() as patch:

        def interrupt(**arguments: object) -> toy.Toy:
            built = build(**arguments)  # type: ignore[arg-type]
            calls = iter(range(100))
            built.during = lambda: signal.raise_signal(number) if next(calls) == 2 else None
            return built

        patch.setattr(toy, "build", interrupt)
        assert main(["one", "toy"]) == code
    assert not any(path.exists() for path in OUTPUTS)
    # 8 by the schedule, 9 for the signal: six steps of the first phase, three of the second.
    assert [path.name for path in _states()] == ["step-0000000008.pt", "step-0000000009.pt"]

    assert main(["one", "toy"]) == 0
    assert _hashes() == uninterrupted
    assert not _states()


def test_a_training_is_alone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock = LAYOUT.records / ".train-one-toy.lock"
    with FileLock(lock):
        assert main(["one", "toy"]) == 1
    assert f"error: {lock}:" in capsys.readouterr().err
    assert not any(path.exists() for path in OUTPUTS)
    assert not (LAYOUT.records / "train-one-toy.json").exists()  # the other process's
    assert main(["one", "toy"]) == 0


def test_a_finished_training_outlives_outputs_that_are_older_than_inputs(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Snakemake deletes such outputs."""
    data = LAYOUT.images("one")
    later = time.time() + 3600
    os.utime(data, (later, later))
    assert main(["one", "toy"]) == 0
    assert f"warning: {data}: " in capsys.readouterr().err
    finished, last = _hashes(), _states()[-1]
    for path in OUTPUTS:
        path.unlink()

    os.utime(data)
    assert main(["one", "toy"]) == 0
    assert f"{last}: resuming after step 5 " in capsys.readouterr().err
    assert _hashes() == finished
    assert not _states()


@contextmanager
def _start() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "stages.train", "one", "toy"],
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()


def _set_devices(project: Path, devices: int) -> None:
    path = project / "profiles" / "tiny.yaml"
    text = path.read_text()
    assert "devices: 1" in text
    path.write_text(text.replace("devices: 1", f"devices: {devices}"))


@pytest.mark.parametrize("devices", [1, 2])
def test_a_process_that_gets_sigterm_exits_with_143(project: Path, devices: int) -> None:
    write_configuration(project, networks={"toy": {"steps": 100_000, "batch_size": 2}})
    _set_devices(project, devices)
    with _start() as process:
        deadline = time.monotonic() + 240
        while not _states() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        further = psutil.Process(process.pid).children()
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=60)
    assert process.returncode == 143, log
    assert log.count(": saved; ") == 1
    assert "Traceback" not in log
    assert len(further) == devices - 1 and not psutil.wait_procs(further, timeout=30)[1]


def test_two_processes_train_as_one_execution(project: Path) -> None:
    _set_devices(project, 2)
    with _start() as process:
        _, log = process.communicate(timeout=300)
    assert process.returncode == 0, log
    assert isinstance(load_network(load_config(), LAYOUT, network="toy", dataset="one"), toy.Toy)
    assert all(path.exists() for path in OUTPUTS) and not _states()
    (record,) = LAYOUT.records.glob("train*toy*.json")
    assert json.loads(record.read_text())["parameters"]["profiles/tiny.yaml:devices"] == 2


def test_divergence_stops_it_and_leaves_no_output(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {"steps": 11, "batch_size": 2, "lr": 1e37}
    write_configuration(project, networks={"toy": options})
    assert main(["one", "toy"]) == 1
    log = capsys.readouterr().err
    assert "step 1 of phase adversarial" in log and "runs/tiny/state/one/toy-" in log
    assert "Traceback" not in log
    assert not any(path.exists() for path in OUTPUTS)


def test_the_state_of_another_configuration_is_left_alone_and_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _stop_before_the_end(monkeypatch)
    left = _states()
    empty = LAYOUT.states / "one" / "toy-12345678"
    empty.mkdir()
    capsys.readouterr()

    options = {"steps": 11, "batch_size": 2, "lr": 0.002}
    write_configuration(project, networks={"toy": options})
    assert main(["one", "toy"]) == 0
    log = capsys.readouterr().err
    assert f"{left[-1]}: " in log and "options.lr (None" in log
    assert f"{empty}: " in log
    assert _states() == left

    write_configuration(project)
    assert main(["one", "toy"]) == 0
    assert f"{left[-1]}: " in capsys.readouterr().err
    assert not _states()


@pytest.mark.parametrize("kind", ["code", "inputs"])
def test_the_state_of_other_code_or_data_is_left_alone_and_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    module = Path("tests/helpers/toy.py")
    module.parent.mkdir(parents=True)
    shutil.copy(ROOT / module, module)
    code._read_module.cache_clear()  # the fixture found none
    _stop_before_the_end(monkeypatch)
    left = _states()
    changed = module if kind == "code" else LAYOUT.images("one")
    changed.write_bytes(changed.read_bytes()[:-1] + b"\0")
    capsys.readouterr()
    assert main(["one", "toy"]) == 0
    assert f"{left[-1]}: " in (log := capsys.readouterr().err)
    assert f"{kind}.{changed} (" in log
    assert _states() == left


def test_a_state_that_was_moved_to_another_configuration_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _stop_before_the_end(monkeypatch)
    (old,) = {path.parent for path in _states()}
    write_configuration(project, networks={"toy": {"steps": 11, "batch_size": 3}})
    _stop_before_the_end(monkeypatch)
    (new,) = {path.parent for path in _states()} - {old}
    shutil.rmtree(new)
    old.rename(new)
    capsys.readouterr()

    assert main(["one", "toy"]) == 1
    log = capsys.readouterr().err
    assert f"error: {new}" in log and "batch_size (2" in log
    assert "Traceback" not in log
    assert not LAYOUT.model("one", "toy").exists()


def test_how_often_to_save_is_no_part_of_the_result(project: Path) -> None:
    assert main(["one", "toy"]) == 0
    first = _hashes()
    path = project / "profiles" / "tiny.yaml"
    text = path.read_text()
    assert "checkpoint_every: 2" in text
    path.write_text(text.replace("checkpoint_every: 2", "checkpoint_every: 5"))
    assert main(["one", "toy"]) == 0
    assert _hashes() == first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["one", "nothing"], "train one nothing"),
        (["three", "toy"], "train three toy"),
        (["two", "base"], "train two base"),  # it is trained on the first alone
    ],
)
def test_what_the_profile_does_not_train_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(arguments) == 1
    assert message in capsys.readouterr().err


def test_a_missing_part_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(LAYOUT.model("one", "base").parent)
    assert main(["two", "toy"]) == 1
    assert f"error: {LAYOUT.model_config('one', 'base')}:" in capsys.readouterr().err


def test_a_missing_gpu_is_explained(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    listing = project / "nvidia-smi"
    listing.write_text("#!/bin/sh\nexit 9\n")
    listing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{project}{os.pathsep}{os.environ['PATH']}")
    path = project / "profiles" / "tiny.yaml"
    path.write_text(path.read_text().replace("device: cpu", "device: cuda"))
    assert main(["one", "toy"]) == 1
    assert "error: device: " in capsys.readouterr().err


def test_packed_arrays_are_not_changed(project: Path) -> None:
    before = [sha256(path) for path in (LAYOUT.images("one"), LAYOUT.holes())]
    for path in (LAYOUT.images("one"), LAYOUT.holes()):
        path.chmod(0o444)
    assert main(["one", "toy"]) == 0
    assert [sha256(path) for path in (LAYOUT.images("one"), LAYOUT.holes())] == before
    assert np.load(LAYOUT.images("one")).dtype == np.uint8
