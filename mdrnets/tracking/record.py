"""The record of an execution: a small JSON file that tells who made what from what, and when.

It needs no MLflow, survives `dvc pull` and travels between machines; `sync.py` sends it to MLflow.
The folder holds the latest record of each stage, `STAGE-ARGUMENTS.json`, its curves beside it as
JSON lines, and under `earlier/` those that a new execution superseded before they were sent.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock
from pydantic import ConfigDict, Field, ValidationError

from mdrnets.config.options import Options
from mdrnets.files import atomic_write, sha256, write_text
from mdrnets.tracking.provenance import GitState, Machine, Process

Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]


class FileHash(Options):
    """What a file held."""

    sha256: str
    bytes: int


class MlflowStatus(Options):
    """The MLflow run of an execution.

    Attributes:
        complete: whether everything in the record is there; false while a training streams.
    """

    tracking_uri: str
    run_id: str
    complete: bool


class Record(Options):
    """One execution of a stage; a resumed training goes on with the record of its first attempt.

    Attributes:
        name: of the file, without suffix.
        execution: unique.
        attempts: how often the process was started.
        seconds: of all attempts.
        error: one sentence, where it did not finish.
        invocation: `ENGINE-ID` of the workflow run, see `provenance.invocation`.
        parameters: by `file:key`, what the execution reads of the configuration.
        inputs, code, outputs: hashes by path; a file that is not there has none.
        measurements: what the stage noted (seconds, parameters, images per second).
        peak_memory: of the last attempt's process, resident, in bytes.
        sent: None: MLflow does not know of it.
    """

    # A measured NaN stays one.
    model_config = ConfigDict(ser_json_inf_nan="constants")

    name: str
    stage: str
    wildcards: dict[str, str]
    profile: str
    command: str
    execution: str
    attempts: int
    status: Status
    started: datetime
    ended: datetime | None = None
    seconds: float = 0
    error: str | None = None
    invocation: str | None
    process: Process
    threads: int
    parameters: dict[str, Any]
    inputs: dict[str, FileHash]
    code: dict[str, FileHash]
    outputs: dict[str, FileHash] = Field(default_factory=dict)
    measurements: dict[str, bool | int | float | str] = Field(default_factory=dict)
    peak_memory: int | None = None
    git: GitState
    versions: dict[str, str]
    machine: Machine
    sent: MlflowStatus | None = None

    @property
    def engine(self) -> str:
        return self.invocation.partition("-")[0] if self.invocation else "none"

    def continues(self, earlier: "Record") -> bool:
        """Whether it does again what an earlier execution did not finish."""
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
        """The latest record of this name."""
        return self.folder / f"{name}.json"

    def begin(self, record: Record, *, resumes: bool) -> Record:
        """Write the record of an execution that starts.

        Args:
            record: of the first attempt, if it turns out to be a later one.
            resumes: whether it goes on with an unfinished record of the same work, if there is one.
        """
        with self._lock():
            path = self.path(record.name)
            earlier = _with_liveness(path)
            if resumes and earlier is not None and record.continues(earlier):
                record = record.model_copy(
                    update={
                        "execution": earlier.execution,
                        "attempts": earlier.attempts + 1,
                        "started": earlier.started,
                        "seconds": earlier.seconds,
                        "sent": _incomplete(earlier.sent),
                    }
                )
            else:
                self._supersede(earlier, path)
            _write(path, record)
            return record

    def import_record(self, record: Record, curves: bytes | None) -> bool:
        """Take in another machine's record, if the outputs that are here are those it tells of.

        Returns:
            False where it tells of other files, or where this machine's own record tells the same.
        """
        present = hashes(map(Path, record.outputs))
        with self._lock():
            path = self.path(record.name)
            ours = _with_liveness(path)
            if record.outputs != present or (ours is not None and ours.outputs == present):
                return False
            self._supersede(ours, path)
            if curves is not None:
                with atomic_write(curves_path(path)) as temporary:
                    temporary.write_bytes(curves)
            _write(path, record)
            return True

    def update(self, record: Record, **changes: Any) -> Record:
        """Change fields of an execution's record, as it is by now, wherever it is by now."""
        with self._lock():
            path = self._where(record)
            current = read(path) or record
            if "status" in changes:
                changes["sent"] = _incomplete(current.sent)
            changed = current.model_copy(update=changes)
            _write(path, changed)
            return changed

    def mark_dead_runs(self) -> None:
        """Mark as KILLED what says RUNNING and whose process is gone."""
        if not self._paths():
            return
        with self._lock():
            for path in self._paths():
                before, after = read(path), _with_liveness(path)
                if after is not None and after != before:
                    _write(path, after)

    def latest(self) -> Iterator[Record]:
        """The readable records, one for each name."""
        yield from filter(None, map(read, sorted(self.folder.glob("*.json"))))

    def latest_checked(self) -> Iterator[Record]:
        """As `latest`, but KILLED where a process ended without completing its record."""
        yield from filter(None, map(_with_liveness, sorted(self.folder.glob("*.json"))))

    def all(self) -> Iterator[Record]:
        """Every readable record, also the superseded ones that were not sent."""
        yield from filter(None, map(read, self._paths()))

    def curves(self, record: Record) -> Path:
        """The curves of an execution."""
        return curves_path(self._where(record))

    def forget_superseded(self, record: Record) -> None:
        """Remove it; the latest record of its name stays."""
        with self._lock():
            self._aside(record).unlink(missing_ok=True)
            curves_path(self._aside(record)).unlink(missing_ok=True)

    def _paths(self) -> list[Path]:
        return sorted([*self.folder.glob("*.json"), *self.folder.glob("earlier/*.json")])

    def _where(self, record: Record) -> Path:
        path = self.path(record.name)
        latest = read(path)
        superseded = latest is not None and latest.execution != record.execution
        return self._aside(record) if superseded else path

    def _aside(self, record: Record) -> Path:
        return self.folder / "earlier" / f"{record.name}-{record.execution}.json"

    def _supersede(self, earlier: Record | None, path: Path) -> None:
        """Make room for another execution's record; one that was not sent is kept."""
        if earlier is not None and not (earlier.sent and earlier.sent.complete):
            self._archive(earlier)
        curves_path(path).unlink(missing_ok=True)

    def _archive(self, record: Record) -> None:
        aside, curves = self._aside(record), curves_path(self.path(record.name))
        _write(aside, record)
        if curves.exists():
            curves.replace(curves_path(aside))

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".lock"):
            yield


def record_name(stage: str, arguments: Iterable[str]) -> str:
    return "-".join([stage, *arguments])


def new_execution() -> str:
    return uuid.uuid4().hex


def now() -> datetime:
    return datetime.now(UTC)


def read(path: Path) -> Record | None:
    """A record, or None where there is none or where another version of this code wrote it."""
    try:
        return Record.model_validate_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValidationError):
        return None


def _with_liveness(path: Path) -> Record | None:
    """The record, but KILLED if it says RUNNING and its process is gone."""
    record = read(path)
    if record is None or record.status != "RUNNING" or not record.process.is_gone():
        return record
    signs = [file.stat().st_mtime for file in (path, curves_path(path)) if file.exists()]
    return record.model_copy(
        update={
            "status": "KILLED",
            "ended": datetime.fromtimestamp(max(signs), UTC),
            "error": "the process ended without a word",
            "sent": _incomplete(record.sent),
        }
    )


def hashes(paths: Iterable[Path]) -> dict[str, FileHash]:
    """Of the files that exist, by path."""
    return {
        path.as_posix(): FileHash(sha256=sha256(path), bytes=path.stat().st_size)
        for path in paths
        if path.is_file()
    }


# -- curves ----------------------------------------------------------------------------------


def curves_path(path: Path) -> Path:
    """The curves beside a record."""
    return path.with_suffix(".jsonl")


def append_point(path: Path, step: int, values: Mapping[str, float]) -> None:
    """Add a line: step, milliseconds since 1970, values by name."""
    point = {"step": step, "time": int(now().timestamp() * 1000), "values": dict(values)}
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(point) + "\n")


def read_points(path: Path, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
    """The points from a byte offset on, and the offset behind them.

    A line that a killed process left half written is skipped.
    """
    if not path.exists():
        return [], offset
    with path.open("rb") as file:
        file.seek(offset)
        lines = file.read()
    end = lines.rfind(b"\n") + 1
    points = []
    for line in lines[:end].splitlines():
        try:
            points.append(json.loads(line))
        except ValueError:
            continue
    return points, offset + end


def last_step(path: Path) -> int:
    """The highest step of the curves, −1 without any; ends a half-written line."""
    points, end = read_points(path)
    if path.exists() and path.stat().st_size > end:
        with path.open("a", encoding="utf-8") as file:
            file.write("\n")
    return max((point["step"] for point in points), default=-1)


def _incomplete(sent: MlflowStatus | None) -> MlflowStatus | None:
    return sent and sent.model_copy(update={"complete": False})


def _write(path: Path, record: Record) -> None:
    write_text(path, record.model_dump_json(indent=1) + "\n")
