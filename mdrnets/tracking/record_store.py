"""A profile's folder of run records, used by several processes at once.

It contains the latest record of each job, `STAGE-ARGUMENTS.json`, with its curves as JSON lines
next to it. Records that were superseded before they were sent are in `earlier/`.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from mdrnets.files import atomic_write, write_text
from mdrnets.files.locks import exclusive_lock
from mdrnets.tracking.curves import curves_path
from mdrnets.tracking.record import MlflowStatus, Record, hashes, read


class RecordStore:
    """A profile's folder of records; see the module."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """The file of the latest record of this name."""
        return self.folder / f"{name}.json"

    def lock_job(self, name: str) -> AbstractContextManager[object]:
        """Prevent two processes from executing the job of the record `name` at the same time.

        A killed workflow engine may leave a job that is still running.

        Raises:
            UserError: another process holds the lock.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        return exclusive_lock(
            self.folder / f".{name}.lock",
            action="executes this job",
            refusal="wait until it ends, or stop it (a training saves its state), then run the "
            "command again",
        )

    def begin(self, record: Record, *, resumes: bool) -> Record:
        """Write the record of an execution that starts.

        Args:
            record: of this execution.
            resumes: whether to continue the unfinished record of the same work, if there is one.
                The caller then holds the lock of `lock_job`, so that an earlier execution that is
                still RUNNING has died, on whatever host.

        Returns:
            The record that was written.
        """
        with self._lock():
            path = self.path(record.name)
            earlier = _with_liveness(path)
            if earlier is not None:
                if resumes and earlier.status == "RUNNING":
                    earlier = _killed(earlier, path)
                record = record.model_copy(update={"last_outputs": earlier.made})
            if resumes and earlier is not None and record.continues(earlier):
                record = record.model_copy(
                    update={
                        "execution": earlier.execution,
                        "attempts": earlier.attempts + 1,
                        "started": earlier.started,
                        "seconds": earlier.seconds,
                        "mlflow": _incomplete(earlier.mlflow),
                    }
                )
            else:
                self._supersede(earlier, path)
            _write(path, record)
            return record

    def import_record(
        self, record: Record, curves: bytes | None, *, keeps: Callable[[Record], bool]
    ) -> bool:
        """Add another machine's record, if its outputs are the files that exist here.

        Args:
            record: of the other machine.
            curves: of the other machine.
            keeps: whether this machine's own record stays, if it describes the same files.

        Returns:
            False if it describes other files, or if this machine's own record stays.
        """
        present = hashes(map(Path, record.outputs))
        with self._lock():
            path = self.path(record.name)
            own = _with_liveness(path)
            if record.outputs != present:
                return False
            if own is not None and own.outputs == present and keeps(own):
                return False
            self._supersede(own, path)
            if curves is not None:
                with atomic_write(curves_path(path)) as temporary:
                    temporary.write_bytes(curves)
            _write(path, record)
            return True

    def update(self, record: Record, **changes: Any) -> Record:
        """Change fields of a record, which is re-read first: another process may have moved it."""
        with self._lock():
            path = self._current_path(record)
            current = read(path) or record
            if "status" in changes:
                changes["mlflow"] = _incomplete(current.mlflow)
            changed = current.model_copy(update=changes)
            _write(path, changed)
            return changed

    def mark_dead_runs(self) -> None:
        """Mark the RUNNING records whose process has died as KILLED."""
        if not self._paths():
            return
        with self._lock():
            for path in self._paths():
                before, after = read(path), _with_liveness(path)
                if after is not None and after != before:
                    _write(path, after)

    def latest(self) -> Iterator[Record]:
        """The latest readable record of each name."""
        yield from filter(None, map(read, sorted(self.folder.glob("*.json"))))

    def finished(self, name: str) -> Record | None:
        """The latest record of this name; None if that execution did not finish."""
        record = read(self.path(name))
        return record if record is not None and record.status == "FINISHED" else None

    def latest_checked(self) -> Iterator[Record]:
        """As `latest`, with KILLED instead of RUNNING if the process has died; writes nothing."""
        yield from filter(None, map(_with_liveness, sorted(self.folder.glob("*.json"))))

    def all(self) -> Iterator[Record]:
        """All readable records, including superseded ones that were not sent."""
        yield from filter(None, map(read, self._paths()))

    def curves(self, record: Record) -> Path:
        """The file of an execution's curves."""
        return curves_path(self._current_path(record))

    def forget_superseded(self, record: Record) -> None:
        """Remove a superseded record; the latest record of its name stays."""
        with self._lock():
            self._archived_path(record).unlink(missing_ok=True)
            curves_path(self._archived_path(record)).unlink(missing_ok=True)

    def _paths(self) -> list[Path]:
        return sorted([*self.folder.glob("*.json"), *self.folder.glob("earlier/*.json")])

    def _current_path(self, record: Record) -> Path:
        path = self.path(record.name)
        latest = read(path)
        superseded = latest is not None and latest.execution != record.execution
        return self._archived_path(record) if superseded else path

    def _archived_path(self, record: Record) -> Path:
        return self.folder / "earlier" / f"{record.name}-{record.execution}.json"

    def _supersede(self, earlier: Record | None, path: Path) -> None:
        """Make room for another execution's record; archive the earlier one if it was not sent."""
        curves = curves_path(path)
        if earlier is not None and not (earlier.mlflow and earlier.mlflow.complete):
            archived = self._archived_path(earlier)
            _write(archived, earlier)
            if curves.exists():
                curves.replace(curves_path(archived))
        curves.unlink(missing_ok=True)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".lock"):
            yield


def _with_liveness(path: Path) -> Record | None:
    """The record, with KILLED instead of RUNNING if its process has died."""
    record = read(path)
    if record is None or record.status != "RUNNING" or not record.process.is_gone():
        return record
    return _killed(record, path)


def _killed(record: Record, path: Path) -> Record:
    """The record of an execution whose process has died."""
    last_signs = [file.stat().st_mtime for file in (path, curves_path(path)) if file.exists()]
    return record.model_copy(
        update={
            "status": "KILLED",
            "ended": datetime.fromtimestamp(max(last_signs), UTC),
            "error": "the process died without an error message",
            "mlflow": _incomplete(record.mlflow),
        }
    )


def _incomplete(status: MlflowStatus | None) -> MlflowStatus | None:
    return status and status.model_copy(update={"complete": False})


def _write(path: Path, record: Record) -> None:
    write_text(path, record.model_dump_json(indent=1) + "\n")
