"""The only door to MLflow, which is imported when something passes it (two seconds).

By default the runs are in `mlflow.db` of the project's folder and their artifacts beside it;
`MLFLOW_TRACKING_URI` names another database or a server. One experiment a profile.
"""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from filelock import FileLock

from mdrnets.errors import UserError

if TYPE_CHECKING:
    from mlflow import MlflowClient

DEFAULT_URI = "sqlite:///mlflow.db"
NETWORK_FILE_SYSTEMS = re.compile(
    "nfs|cifs|smb|lustre|gpfs|beegfs|ceph|glusterfs|afs|sshfs|9p|panfs|pvfs|orangefs|wekafs"
)
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # By default MLflow tries an unreachable server for four minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}


class TrackingError(Exception):
    """MLflow cannot be had now: one sentence. The records stay, and are sent later."""


@dataclass(frozen=True)
class Store:
    """A profile's experiment.

    Attributes:
        uri: of the database or server, without a password.
        experiment: its id.
    """

    uri: str
    client: "MlflowClient"
    experiment: str


def experiment_name(profile: str) -> str:
    return f"mdrnets-{profile}"


def tracking_uri() -> str:
    return os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI


def public_uri() -> str:
    """The tracking URI as records and messages show it: without user and password."""
    return _without_password(tracking_uri())


@contextmanager
def open_store(profile: str) -> Iterator[Store]:
    """Connect, and make database and experiment where they are missing.

    Raises:
        TrackingError: MLflow is not installed, not reachable or refuses; also from within.
        UserError: a kind of store that loses runs.
    """
    uri = tracking_uri()
    database = _checked(uri)
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    with _one_sentence():
        from mlflow import MlflowClient

        for logger in ("alembic", "mlflow", "urllib3"):
            logging.getLogger(logger).setLevel(logging.ERROR)
        # Processes that make the tables at the same time would break the database.
        with FileLock(f"{database}.lock") if database else nullcontext():
            # Absolute: MLflow keeps what it opened by its name, wherever the current folder is.
            client = MlflowClient(f"sqlite:///{database}" if database else uri)
            experiment = _experiment(client, experiment_name(profile), database)
        yield Store(uri=public_uri(), client=client, experiment=experiment)


def _checked(uri: str) -> Path | None:
    """The database's file, if it is SQLite."""
    if uri.startswith("file:") or "://" not in uri:
        raise UserError(
            f"MLFLOW_TRACKING_URI={uri}: MLflow no longer writes to plain folders; "
            f"unset it for {DEFAULT_URI}, or name a database or a server"
        )
    if not uri.startswith("sqlite:///"):
        return None
    database = Path(uri.removeprefix("sqlite:///")).absolute()
    kind = file_system(database)
    if NETWORK_FILE_SYSTEMS.search(kind):
        raise UserError(
            f"{database}: parallel jobs would break an SQLite database on a network file system "
            f"({kind}); set MLFLOW_TRACKING_URI to a server (`mlflow server` on one machine), or "
            "to a local path such as sqlite:////tmp/mlflow.db"
        )
    return database


def file_system(path: Path) -> str:
    """Type of the file system that a path, which need not exist, lies on."""
    real = path.resolve()
    mounts = {
        Path(partition.mountpoint): partition.fstype
        for partition in psutil.disk_partitions(all=True)
    }
    return next((mounts[folder] for folder in (real, *real.parents) if folder in mounts), "")


def _experiment(client: "MlflowClient", name: str, database: Path | None) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        artifacts = (database.parent / "mlartifacts").as_uri() if database else None
        try:
            return str(client.create_experiment(name, artifact_location=artifacts))
        except Exception:
            # Another process may have been faster on a server.
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    return str(found.experiment_id)


@contextmanager
def _one_sentence() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise TrackingError(f"{error.name} is not installed here") from error
    except UserError:
        raise
    except Exception as error:  # of MLflow, SQLAlchemy, requests, …: tracking must cost nothing
        raise TrackingError(f"{public_uri()}: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    """The system's own words, such as `Connection refused`, else the first line."""
    innermost = error
    while (cause := innermost.__cause__ or innermost.__context__) is not None:
        innermost = cause
    if isinstance(innermost, OSError) and innermost.strerror:
        return innermost.strerror
    line = str(error).strip().partition("\n")[0] or type(error).__name__
    return _without_password(line)[:300]


def _without_password(text: str) -> str:
    return re.sub(r"(?<=://)[^/@\s]*@", "", text)
