"""The record of an execution: a small JSON file that tells which run made which files, and when.

Records need no MLflow, survive `dvc pull` and can be moved between machines; `sync.py` sends them
to MLflow. The folder contains the latest record of each job, `STAGE-ARGUMENTS.json`, with its
curves as JSON lines next to it. Records that were superseded before they were sent are in
`earlier/`.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from filelock import FileLock
from pydantic import ConfigDict, Field, ValidationError

from mdrnets.config.options import Options
from mdrnets.errors import UserError
from mdrnets.files import atomic_write, sha256, write_text
from mdrnets.files.locks import exclusive_lock
from mdrnets.files.text import DAMAGED_JSON, read_text
from mdrnets.tracking.provenance import GitState, Machine, Process

Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]
FileNamePart = Annotated[str, Field(pattern="^[A-Za-z0-9_][A-Za-z0-9_.@-]*$", max_length=150)]
"""Text that is used in file names: records of others must not lead out of the folder."""
WRONG_VALUES = (TypeError, KeyError, AttributeError, OverflowError)
"""What reading a point of the curves raises if it is JSON, but no point."""


class FileHash(Options):
    """Hash and size of a file."""

    sha256: str
    bytes: int


class MlflowStatus(Options):
    """The MLflow run of an execution.

    Attributes:
        complete: whether MLflow has everything in the record; false while a training sends its
            curves.
        model: id of the trained network's model; None: it is not sent, or nothing was trained.
    """

    tracking_uri: str
    run_id: str
    complete: bool
    model: str | None = None


class Record(Options):
    """One execution of a stage; a resumed training continues the record of its first attempt.

    Attributes:
        name: the file name without its suffix.
        execution: unique.
        attempts: how many times it was started.
        seconds: the sum of all attempts.
        error: one sentence if it did not finish.
        invocation: `ENGINE-ID` of the workflow run, see `provenance.invocation`.
        workflow: the command of the workflow run, with its targets; None if it is not known.
        parameters: the values that the execution reads from the configuration, by `file:key`.
        inputs, code, outputs: hashes by path, of the files that exist.
        taken_inputs: inputs that had changed since their job made them, and were taken as they are.
        last_outputs: of the last execution that finished before this one.
        measurements: what the stage noted (seconds, parameters, images per second).
        peak_memory: resident memory of the last attempt's process, in bytes.
        mlflow: its MLflow run; None if nothing was sent.
    """

    # Without this, a NaN would become null.
    model_config = ConfigDict(ser_json_inf_nan="constants")

    name: FileNamePart
    stage: str
    wildcards: dict[str, str]
    profile: str
    command: str
    execution: FileNamePart
    attempts: int
    status: Status
    started: datetime
    ended: datetime | None = None
    seconds: float = 0
    error: str | None = None
    invocation: str | None
    workflow: str | None = None
    process: Process
    threads: int
    parameters: dict[str, Any]
    inputs: dict[str, FileHash]
    code: dict[str, FileHash]
    outputs: dict[str, FileHash] = Field(default_factory=dict)
    taken_inputs: tuple[str, ...] = ()
    last_outputs: dict[str, FileHash] = Field(default_factory=dict)
    measurements: dict[str, bool | int | float | str] = Field(default_factory=dict)
    peak_memory: int | None = None
    git: GitState
    versions: dict[str, str]
    machine: Machine
    mlflow: MlflowStatus | None = None

    @property
    def engine(self) -> str:
        return self.invocation.partition("-")[0] if self.invocation else "none"

    @property
    def made(self) -> dict[str, FileHash]:
        """The outputs of the last execution that finished: this one, or one before it."""
        return self.outputs if self.status == "FINISHED" else self.last_outputs

    def continues(self, earlier: "Record") -> bool:
        """Whether it repeats the work of an earlier execution that did not finish."""
        same = all(
            getattr(self, field) == getattr(earlier, field)
            for field in ("parameters", "inputs", "code")
        )
        return same and earlier.status in ("FAILED", "KILLED")


class RecordStore:
    """A profile's folder of records, used by several processes at once."""

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


def now() -> datetime:
    return datetime.now(UTC)


def read(path: Path) -> Record | None:
    """A record; None if there is none, or none that this version of the code can read."""
    try:
        return Record.model_validate_json(read_text(path, remedy="run its stage"))
    except (UserError, ValidationError):
        return None


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


def hashes(paths: Iterable[Path]) -> dict[str, FileHash]:
    """Hashes of the files that exist, by path."""
    return {
        path.as_posix(): FileHash(sha256=sha256(path), bytes=path.stat().st_size)
        for path in paths
        if path.is_file()
    }


def is_inside(path: str) -> bool:
    """Whether a path of a record stays in the project's folder."""
    return not Path(path).is_absolute() and ".." not in Path(path).parts


# -- curves ----------------------------------------------------------------------------------


def curves_path(path: Path) -> Path:
    """The file of curves that belongs to a record's file."""
    return path.with_suffix(".jsonl")


def append_point(path: Path, step: int, values: Mapping[str, float]) -> None:
    """Add a line: step, milliseconds since 1970, values by name."""
    point = {"step": step, "time": int(now().timestamp() * 1000), "values": dict(values)}
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(point) + "\n")


def read_points(path: Path, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
    """Read the points from a byte offset on; also returns the offset of the end.

    An incomplete line, left by a killed process, and damaged ones are skipped.
    """
    if not path.exists():
        return [], offset
    with path.open("rb") as file:
        file.seek(offset)
        lines = file.read()
    end = lines.rfind(b"\n") + 1
    points = [point for point in map(_parse_point, lines[:end].split(b"\n")) if point]
    return points, offset + end


def _parse_point(line: bytes) -> dict[str, Any] | None:
    """What `append_point` wrote; None for anything else, such as a damaged line."""
    try:
        point = json.loads(line)
        values = {str(name): float(value) for name, value in point["values"].items()}
        return {"step": int(point["step"]), "time": int(point["time"]), "values": values}
    except (*DAMAGED_JSON, *WRONG_VALUES):
        return None


def last_step(path: Path) -> int:
    """The highest step of the curves, −1 without any; completes an incomplete last line."""
    points, end = read_points(path)
    if path.exists() and path.stat().st_size > end:
        with path.open("a", encoding="utf-8") as file:
            file.write("\n")
    return max((point["step"] for point in points), default=-1)


def _incomplete(status: MlflowStatus | None) -> MlflowStatus | None:
    return status and status.model_copy(update={"complete": False})


def _write(path: Path, record: Record) -> None:
    write_text(path, record.model_dump_json(indent=1) + "\n")
