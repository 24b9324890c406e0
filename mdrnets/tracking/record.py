"""The record of an execution: a small JSON file that tells which run made which files, and when.

Records need no MLflow, survive `dvc pull` and can be moved between machines; `sync.py` sends them
to MLflow.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from mdrnets.config.options import Options
from mdrnets.errors import UserError
from mdrnets.files import sha256
from mdrnets.files.text import read_text
from mdrnets.tracking.provenance import GitState, Machine, Process

Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]
FileNamePart = Annotated[str, Field(pattern="^[A-Za-z0-9_][A-Za-z0-9_.@-]*$", max_length=150)]
"""Text that is used in file names: records of others must not lead out of the folder."""


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
        peak_memory: resident memory of the last attempt's largest process, in bytes.
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


def now() -> datetime:
    return datetime.now(UTC)


def read(path: Path) -> Record | None:
    """A record; None if there is none, or none that this version of the code can read."""
    try:
        return Record.model_validate_json(read_text(path, remedy="run its stage"))
    except (UserError, ValidationError):
        return None


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
