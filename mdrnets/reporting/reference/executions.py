"""The executions behind a reference run, one row each: `executions.csv`."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mdrnets.files.tables import read_rows, write_rows
from mdrnets.layout import REFERENCE
from mdrnets.tracking.executions import Execution
from mdrnets.tracking.record import Record

EXECUTIONS = "executions.csv"
NUMBERS = ("train", "evaluate")
"""Groups of stages that decide a score."""


@dataclass(frozen=True)
class ExecutionRow:
    """A row of `executions.csv`.

    Attributes:
        execution: the name of its record.
        commit: of the code, for example `6f814dd61c0a with uncommitted changes`.
        started: date and time.
        seconds: of all attempts.
        attempts: how many times it was started.
        peak_mib: resident memory.
        code: SHA-256 of the names and contents of all project files that it ran.
        outputs: `PATH=SHA256`, separated by spaces.
    """

    execution: str
    commit: str
    started: str
    seconds: float
    attempts: int
    peak_mib: int
    code: str
    outputs: str


def write_executions(folder: Path, ran: Iterable[Execution]) -> None:
    """Write the table to the folder of a reference run."""
    write_rows(folder / EXECUTIONS, ExecutionRow, (_row(execution.record) for execution in ran))


def read_executions(name: str) -> dict[str, ExecutionRow]:
    """The rows of a reference run, by execution.

    Raises:
        UserError: the table is missing or damaged.
    """
    remedy = "restore it from git, or save a run again"
    rows = read_rows(REFERENCE / name / EXECUTIONS, ExecutionRow, remedy=remedy)
    return {row.execution: row for row in rows}


def select_scoring_records(ran: Iterable[Execution]) -> list[Record]:
    """The records of trainings, completions and evaluations."""
    return [e.record for e in ran if e.job.stage.group in NUMBERS]


def recorded_code(record: Record) -> str:
    """SHA-256 of the names and contents of all project files that an execution ran."""
    files = sorted(f"{path} {file.sha256}" for path, file in record.code.items())
    return hashlib.sha256("\n".join(files).encode()).hexdigest()


def recorded_outputs(record: Record) -> set[str]:
    """`PATH=SHA256` of each output of an execution."""
    return {f"{path}={file.sha256}" for path, file in record.outputs.items()}


def _row(record: Record) -> ExecutionRow:
    return ExecutionRow(
        execution=record.name,
        commit=record.git.describe(12),
        started=record.started.isoformat(timespec="seconds"),
        seconds=round(record.seconds, 1),
        attempts=record.attempts,
        peak_mib=round((record.peak_memory or 0) / 2**20),
        code=recorded_code(record),
        outputs=" ".join(sorted(recorded_outputs(record))),
    )
