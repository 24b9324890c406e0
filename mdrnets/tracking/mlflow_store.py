"""The connection to MLflow. Nothing else opens it, since importing MLflow takes two seconds.

By default the runs are in `mlflow.db` in the project's folder, and their artifacts next to it;
`MLFLOW_TRACKING_URI` names another database or a server. Each profile has one experiment.
"""

import logging
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from filelock import FileLock

from mdrnets.config.redaction import redact_urls
from mdrnets.errors import UserError
from mdrnets.files import atomic_write

if TYPE_CHECKING:
    from mlflow import MlflowClient

DEFAULT_URI = "sqlite:///mlflow.db"
ARTIFACTS = "mlartifacts"
"""The folder of the artifacts, next to the database."""
NETWORK_FILE_SYSTEMS = re.compile(
    "nfs|cifs|smb|lustre|gpfs|beegfs|ceph|glusterfs|afs|sshfs|9p|panfs|pvfs|orangefs|wekafs"
)
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # two lines for each run on a server
    # By default MLflow tries an unreachable server for four minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}


class TrackingError(Exception):
    """MLflow is unavailable; the message is one sentence. The records stay, and are sent later."""


@contextmanager
def require_store() -> Iterator[None]:
    """Raise UserError if MLflow is unavailable, in a command that does nothing without it."""
    try:
        yield
    except TrackingError as error:
        raise UserError(f"{error}; start the server, or unset MLFLOW_TRACKING_URI") from None


@dataclass(frozen=True)
class Store:
    """A profile's experiment.

    Attributes:
        experiment: its id.
    """

    client: "MlflowClient"
    experiment: str


def experiment_name(profile: str) -> str:
    return f"mdrnets-{profile}"


def tracking_uri() -> str:
    return os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI


def public_uri() -> str:
    """The tracking URI as records and messages show it: without secrets."""
    return redact_urls(tracking_uri())


def server_uri() -> str:
    """The URI that a server on this machine takes to serve the current database."""
    database = _database(tracking_uri())
    return _sqlite_uri(database) if database else tracking_uri()


@contextmanager
def open_store(profile: str) -> Iterator[Store]:
    """Connect, and create the database and the experiment if they are missing.

    Any number of processes may do this at once.

    Raises:
        TrackingError: MLflow is not installed, not reachable, or refuses a request; also from
            within the block.
        UserError: a kind of store that loses runs.
    """
    uri = tracking_uri()
    database = _database(uri)
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    with _as_tracking_error():
        from mlflow import MlflowClient

        for logger in ("alembic", "mlflow", "urllib3"):
            logging.getLogger(logger).setLevel(logging.ERROR)
        with FileLock(f"{database}.lock") if database else nullcontext():
            if database is not None and not database.exists():
                _create(database)
            client = MlflowClient(_sqlite_uri(database) if database else uri)
            experiment = _experiment(client, experiment_name(profile), database)
            if database is not None:
                _relocate_artifacts(database)
        yield Store(client=client, experiment=experiment)


def _create(database: Path) -> None:
    """Create the tables, so that a process killed meanwhile leaves no half-made database."""
    from mlflow import MlflowClient

    for leftover in database.parent.glob(f".{database.name}.*.part"):  # left by a killed process
        leftover.unlink()
    with atomic_write(database) as temporary:
        MlflowClient(_sqlite_uri(temporary)).search_experiments()


def _sqlite_uri(path: Path) -> str:
    """The URI of a database in a folder of any name.

    It is absolute, since MLflow caches stores by URI, also when the current folder changes; but a
    `?` would end its path.
    """
    return f"sqlite:///{os.path.relpath(path) if '?' in str(path) else path}"


def _relocate_artifacts(database: Path) -> None:
    """Let MLflow find and write artifacts next to the database after the project was moved.

    MLflow stores the absolute location with each experiment, run and model, and has no call to
    change it.
    """
    here = _artifacts(database)
    with closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        locations = connection.execute(
            "SELECT DISTINCT artifact_location FROM experiments WHERE name LIKE ?",
            (experiment_name("%"),),
        ).fetchall()
        for (old,) in locations:
            if old != here and old.startswith("file:") and old.endswith(f"/{ARTIFACTS}"):
                connection.execute(
                    "UPDATE experiments SET artifact_location = ? WHERE artifact_location = ?",
                    (here, old),
                )
                for table, column in (
                    ("runs", "artifact_uri"),
                    ("logged_models", "artifact_location"),
                ):
                    connection.execute(
                        f"UPDATE {table} SET {column} = ? || substr({column}, ?)"
                        f" WHERE substr({column}, 1, ?) = ?",
                        (here, len(old) + 1, len(old) + 1, f"{old}/"),
                    )


def _artifacts(database: Path) -> str:
    return (database.parent / ARTIFACTS).as_uri()


def _database(uri: str) -> Path | None:
    """The database's file, if it is SQLite."""
    if uri.startswith("file:") or "://" not in uri:
        raise UserError(
            f"MLFLOW_TRACKING_URI={public_uri()}: MLflow no longer writes to plain folders; "
            f"unset it for {DEFAULT_URI}, or name a database or a server"
        )
    if not uri.startswith("sqlite:///"):
        return None
    name, query, _ = uri.removeprefix("sqlite:///").partition("?")
    if query:
        raise UserError(
            f"MLFLOW_TRACKING_URI={uri}: found `?`, expected only the path of a database; remove "
            "what follows"
        )
    database = Path(name).absolute()
    kind = file_system(database)
    if NETWORK_FILE_SYSTEMS.search(kind):
        raise UserError(
            f"{database}: parallel jobs would break an SQLite database on a network file system "
            f"({kind}); set MLFLOW_TRACKING_URI to a server (MLflow's, on one machine) or, if all "
            "jobs run on this machine, to a local path such as sqlite:////tmp/mlflow.db"
        )
    return database


def file_system(path: Path) -> str:
    """The type of the file system of a path, which need not exist."""
    real = path.resolve()
    mounts = {
        Path(partition.mountpoint): partition.fstype
        for partition in psutil.disk_partitions(all=True)
    }
    return next((mounts[folder] for folder in (real, *real.parents) if folder in mounts), "")


def _experiment(client: "MlflowClient", name: str, database: Path | None) -> str:
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        artifacts = _artifacts(database) if database else None
        try:
            return str(client.create_experiment(name, artifact_location=artifacts))
        except Exception:
            # On a server, another process may have created it meanwhile.
            experiment = client.get_experiment_by_name(name)
            if experiment is None:
                raise
    return str(experiment.experiment_id)


@contextmanager
def _as_tracking_error() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise TrackingError(f"{error.name} is not installed here") from error
    except UserError:
        raise
    except Exception as error:  # MLflow, SQLAlchemy and requests raise many types
        raise TrackingError(f"{public_uri()}: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    """The operating system's message, such as `Connection refused`, or else the first line."""
    innermost = error
    while (cause := innermost.__cause__ or innermost.__context__) is not None:
        innermost = cause
    if isinstance(innermost, OSError) and innermost.strerror:
        return innermost.strerror
    line = str(error).strip().partition("\n")[0] or type(error).__name__
    return redact_urls(line)[:300]
