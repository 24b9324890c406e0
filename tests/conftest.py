"""A project's folder with the shipped configuration, and an MLflow database made once."""

import shutil
import signal
import socket
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mdrnets.tracking.provenance import git_state, machine, this_process
from mdrnets.tracking.record import Record, now
from tests.helpers.browser import open_chromium

ROOT = Path(__file__).parents[1]


def pytest_configure() -> None:
    """Take Ctrl-C also in the background of a shell, which starts programs that ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs more GPUs than there are: `gpu` needs one, `gpu(2)` two."""
    marked = [(item, mark) for item in items if (mark := item.get_closest_marker("gpu"))]
    if not marked:
        return
    import torch  # heavy, and few tests need it

    result = torch.cuda.device_count() if torch.cuda.is_available() else 0
    for item, mark in marked:
        needed = mark.args[0] if mark.args else 1
        if result < needed:
            reason = f"needs {needed} GPUs, found {result}"
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: `params.yaml` and the profiles of the project, and nothing else."""
    folder = tmp_path / "a prøject"
    folder.mkdir()
    shutil.copy(ROOT / "params.yaml", folder)
    shutil.copytree(ROOT / "profiles", folder / "profiles")
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("MDRNETS_INVOCATION", raising=False)
    monkeypatch.delenv("MDRNETS_INVOCATION_COMMAND", raising=False)
    return folder


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables alone: to make them takes seconds, to copy them none."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("database") / "mlflow.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        MlflowClient(f"sqlite:///{path}")
    return path


@pytest.fixture
def database(configs: Path, empty_database: Path) -> Path:
    """The project's own database."""
    return Path(shutil.copy(empty_database, configs / "mlflow.db"))


@pytest.fixture
def closed_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with open_chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


@pytest.fixture
def no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stages of the report send nothing to MLflow; tracking has its own tests."""
    monkeypatch.setattr("mdrnets.exchange.logged_models.send_all", lambda config: None)


@pytest.fixture
def process_state() -> Iterator[None]:
    """Restore what stages change in their process: threads, numerics, the handler of SIGTERM."""
    import torch

    handler, threads = signal.getsignal(signal.SIGTERM), torch.get_num_threads()
    yield
    signal.signal(signal.SIGTERM, handler)
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(threads)


@pytest.fixture
def one_thread(process_state: None) -> None:
    """PyTorch computes in one thread."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def make_record() -> Callable[..., Record]:
    return _make_record


def _make_record(**changes: Any) -> Record:
    """A training that has just begun in this process."""
    values: dict[str, Any] = {
        "name": "train-one-pconv",
        "stage": "train",
        "wildcards": {"dataset": "one", "network": "pconv"},
        "profile": "smoke",
        "command": "python -m stages.train --profile smoke one pconv",
        "execution": uuid.uuid4().hex,
        "attempts": 1,
        "status": "RUNNING",
        "started": now(),
        "invocation": None,
        "process": this_process(),
        "threads": 1,
        "parameters": {"params.yaml:seed": 7, "network:seed": 9, "network:options": {"steps": 4}},
        "inputs": {},
        "code": {},
        "git": git_state("smoke"),
        "versions": {"python": "3.11.7"},
        "machine": machine(),
    }
    return Record(**(values | changes))
