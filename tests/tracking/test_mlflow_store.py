import multiprocessing
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mdrnets.errors import UserError
from mdrnets.tracking import mlflow_store
from mdrnets.tracking.mlflow_store import TrackingError, file_system, open_store
from tests.helpers.file_locks import is_locked


@pytest.mark.parametrize("uri", ["mlruns", "file:///tmp/mlruns", "file:mlruns"])
def test_plain_folders_are_refused(
    configs: Path, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(UserError, match="MLFLOW_TRACKING_URI"), open_store("smoke"):
        pass


def test_sqlite_on_a_network_file_system_is_refused(
    configs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlflow_store, "file_system", lambda path: "nfs4")
    with pytest.raises(UserError, match=r"mlflow\.db.*nfs4"), open_store("smoke"):
        pass
    assert not Path("mlflow.db").exists()


def test_the_file_system_is_that_of_the_deepest_mount(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mount:
        def __init__(self, mountpoint: str, fstype: str) -> None:
            self.mountpoint, self.fstype = mountpoint, fstype

    mounts = [Mount("/", "ext4"), Mount("/home", "nfs4"), Mount("/home/me/scratch", "xfs")]
    monkeypatch.setattr(mlflow_store.psutil, "disk_partitions", lambda all: mounts)
    assert file_system(Path("/home/me/project/mlflow.db")) == "nfs4"
    assert file_system(Path("/home/me/scratch/mlflow.db")) == "xfs"
    assert file_system(Path("/homely/mlflow.db")) == "ext4"


def test_an_unreachable_server_is_one_sentence_without_its_password(
    configs: Path, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:secret@127.0.0.1:{closed_port}")
    with pytest.raises(TrackingError) as raised, open_store("smoke"):
        pass
    message = str(raised.value)
    assert message == f"http://127.0.0.1:{closed_port}: Connection refused"


def test_without_mlflow_it_is_one_sentence(configs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(TrackingError, match="mlflow"), open_store("smoke"):
        pass


def test_an_experiment_is_made_once(database: Path) -> None:
    with open_store("smoke") as first, open_store("smoke") as second:
        assert first.experiment == second.experiment
        experiment = first.client.get_experiment(first.experiment)
        assert experiment.name == "mdrnets-smoke"
    with open_store("demo") as other:
        assert other.experiment != first.experiment


def test_artifacts_lie_beside_the_database(database: Path) -> None:
    with open_store("smoke") as opened:
        run = opened.client.create_run(opened.experiment)
        opened.client.log_dict(run.info.run_id, {"a": 1}, "manifest.json")
    (result,) = Path("mlartifacts").rglob("manifest.json")
    assert "1" in result.read_text()


def _log(name: str) -> str:
    with open_store("smoke") as opened:
        run = opened.client.create_run(opened.experiment)
        opened.client.log_dict(run.info.run_id, {"a": 1}, name)
        model = opened.client.create_logged_model(opened.experiment, name=Path(name).stem)
        Path("MLmodel").write_text("of a model")
        opened.client.log_model_artifact(model.model_id, "MLmodel")
        return str(run.info.run_id)


def test_a_moved_project_reads_and_writes_its_own_artifacts(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _log("first.json")
    moved = tmp_path / "moved"
    Path(database.parent).rename(moved)
    monkeypatch.chdir(moved)
    _log("second.json")
    assert not database.parent.exists()
    assert {path.name for path in moved.rglob("*.json")} == {"first.json", "second.json"}
    with open_store("smoke") as opened:
        assert [file.path for file in opened.client.list_artifacts(first)] == ["first.json"]
        for model in opened.client.search_logged_models([opened.experiment]):
            folder = Path(model.artifact_location.removeprefix("file://"))
            assert (folder / "MLmodel").is_file()


@pytest.mark.parametrize("name", ["a?b", "a#b", "a%20b", "a b"])
def test_the_database_stays_in_a_folder_of_any_name(
    empty_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copy(empty_database, folder / "mlflow.db")
    _log("manifest.json")
    assert len(list(folder.rglob("manifest.json"))) == 1
    assert list(tmp_path.iterdir()) == [folder]


def test_a_query_of_a_database_is_refused(configs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db?mode=ro")
    with pytest.raises(UserError, match="MLFLOW_TRACKING_URI"), open_store("smoke"):
        pass


def test_trouble_while_it_is_open_is_one_sentence(database: Path) -> None:
    with pytest.raises(TrackingError, match="no such run"), open_store("smoke") as opened:
        opened.client.get_run("no such run")


def _open_and_create_run(barrier: "multiprocessing.synchronize.Barrier", number: int) -> None:
    barrier.wait()
    with open_store("smoke") as opened:
        opened.client.create_run(opened.experiment, run_name=str(number))


def test_eight_processes_may_create_the_database_at_once(configs: Path) -> None:
    import mlflow  # noqa: F401  # once, for all of them

    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(8)
    processes = [
        context.Process(target=_open_and_create_run, args=(barrier, number)) for number in range(8)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 8
    with open_store("smoke") as opened:
        runs = opened.client.search_runs([opened.experiment])
        names = [experiment.name for experiment in opened.client.search_experiments()]
    assert {run.info.run_name for run in runs} == set("01234567")
    assert names.count("mdrnets-smoke") == 1
    assert not list(configs.glob(".mlflow*"))


def test_a_locked_database_is_waited_for_by_eight_processes(database: Path) -> None:
    import mlflow  # noqa: F401  # once, for all of them

    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(9)
    processes = [
        context.Process(target=_open_and_create_run, args=(barrier, number)) for number in range(8)
    ]
    for process in processes:  # before the lock: SQLite's connections must not be forked
        process.start()
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        barrier.wait()
        time.sleep(0.5)  # all of them have met the lock
        assert all(process.is_alive() for process in processes)
        connection.execute("COMMIT")
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 8
    with open_store("smoke") as opened:
        runs = opened.client.search_runs([opened.experiment])
    assert {run.info.run_name for run in runs} == set("01234567")


def test_the_database_is_made_under_a_lock(configs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create, experiment = mlflow_store._create, mlflow_store._experiment
    locked = []

    def note(original: Callable[..., Any]) -> Callable[..., Any]:
        def spy(*arguments: Any) -> Any:
            locked.append(is_locked(Path("mlflow.db.lock")))
            return original(*arguments)

        return spy

    monkeypatch.setattr(mlflow_store, "_create", note(create))
    monkeypatch.setattr(mlflow_store, "_experiment", note(experiment))
    with open_store("smoke"):
        pass
    assert locked == [True, True]


def test_an_interrupted_creation_leaves_no_database(
    configs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    def interrupt(uri: str) -> None:
        Path(uri.removeprefix("sqlite:///")).write_text("half a database")
        raise KeyboardInterrupt

    monkeypatch.setattr(mlflow, "MlflowClient", interrupt)
    with pytest.raises(KeyboardInterrupt), open_store("smoke"):
        pass
    assert not Path("mlflow.db").exists()
