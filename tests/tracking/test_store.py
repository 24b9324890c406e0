import sys
from pathlib import Path

import pytest

from mdrnets.errors import UserError
from mdrnets.tracking import store
from mdrnets.tracking.store import TrackingError, file_system, open_store, public_uri


@pytest.mark.parametrize("uri", ["mlruns", "file:///tmp/mlruns", "file:mlruns"])
def test_plain_folders_are_refused(
    shipped: Path, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(UserError, match="no longer writes to plain folders"), open_store("smoke"):
        pass


def test_sqlite_on_a_network_file_system_is_refused(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "file_system", lambda path: "nfs4")
    with pytest.raises(UserError, match=r"mlflow\.db.*nfs4.*server"), open_store("smoke"):
        pass
    assert not Path("mlflow.db").exists()


def test_the_file_system_is_that_of_the_deepest_mount(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mount:
        def __init__(self, mountpoint: str, fstype: str) -> None:
            self.mountpoint, self.fstype = mountpoint, fstype

    mounts = [Mount("/", "ext4"), Mount("/home", "nfs4"), Mount("/home/me/scratch", "xfs")]
    monkeypatch.setattr(store.psutil, "disk_partitions", lambda all: mounts)
    assert file_system(Path("/home/me/project/mlflow.db")) == "nfs4"
    assert file_system(Path("/home/me/scratch/mlflow.db")) == "xfs"
    assert file_system(Path("/homely/mlflow.db")) == "ext4"


def test_a_password_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:secret@host:5000/a@b")
    assert public_uri() == "https://host:5000/a@b"


def test_an_unreachable_server_is_one_sentence(
    shipped: Path, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:secret@127.0.0.1:{closed_port}")
    with pytest.raises(TrackingError) as raised, open_store("smoke"):
        pass
    message = str(raised.value)
    assert message == f"http://127.0.0.1:{closed_port}: Connection refused"


def test_without_mlflow_it_is_one_sentence(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(TrackingError, match=r"^mlflow is not installed here$"), open_store("smoke"):
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
    (found,) = Path("mlartifacts").rglob("manifest.json")
    assert "1" in found.read_text()


def test_trouble_while_it_is_open_is_one_sentence(database: Path) -> None:
    with pytest.raises(TrackingError, match="no such run"), open_store("smoke") as opened:
        opened.client.get_run("no such run")
