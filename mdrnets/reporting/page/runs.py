"""The executions behind a file, and whether their records describe the file in use.

A record describes the latest execution of its stage on this machine. It may be missing because the
results were restored, unfinished, or about another version of the file; the page says so.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mdrnets.dag.pipeline import Job, Pipeline
from mdrnets.tracking.record import Record
from mdrnets.tracking.record_store import RecordStore

NO_RECORD = "No record on this machine: the results came from another machine or from a cache."

Readers = Mapping[str, Mapping[str, str]]
"""File → SHA-256 that the latest executions read → name of the record."""


def anchor(*names: str) -> str:
    """An id in the page."""
    return re.sub(r"\W+", "-", "-".join(names))


@dataclass(frozen=True)
class Run:
    """An execution.

    Attributes:
        name: stage and wildcards.
        command: that starts it.
        inputs: files that it reads.
        outputs: files that it makes.
        record: None: this machine has none.
        doubts: why the files in use may come from another execution, or from changed inputs.
    """

    name: str
    command: str
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    record: Record | None
    doubts: tuple[str, ...]

    @property
    def anchor(self) -> str:
        """The id of its entry in the page."""
        return anchor("run", self.name)

    @property
    def taken(self) -> tuple[str, ...]:
        """Inputs that it used although they had changed since their jobs made them."""
        return self.record.taken_inputs if self.record else ()

    @property
    def mlflow(self) -> str | None:
        """The id of its MLflow run; None: MLflow does not have it."""
        return self.record.mlflow.run_id if self.record and self.record.mlflow else None


def read_runs(pipeline: Pipeline) -> list[Run]:
    """All executions of a profile, the last ones first."""
    jobs = list(pipeline.jobs())
    latest = RecordStore(pipeline.layout.records).latest()
    by_command = {record.command: record for record in latest}
    records = [by_command.get(job.command) for job in jobs]
    readers = _readers(filter(None, records))
    runs = [_run(*pair, readers) for pair in zip(jobs, records, strict=True)]
    return runs[::-1]


def upstream_runs(runs: Sequence[Run], *paths: Path) -> list[Run]:
    """The executions that led to files.

    Args:
        runs: the last ones first.
        paths: the files.
    """
    files, chain = set(paths), []
    for run in runs:
        if files.intersection(run.outputs):
            chain.append(run)
            files.update(run.inputs)
    return chain


def _readers(records: Iterable[Record]) -> Readers:
    readers: dict[str, dict[str, str]] = defaultdict(dict)
    for record in records:
        if record.status in ("FINISHED", "RUNNING"):
            for name, file in record.inputs.items():
                readers[name][file.sha256] = record.name
    return readers


def _run(job: Job, record: Record | None, readers: Readers) -> Run:
    if record is None:
        doubts = [NO_RECORD]
    elif record.status == "FINISHED":
        doubts = [
            f"{reader} read a version of {name} that this execution did not make."
            for name, output in record.outputs.items()
            for sha256, reader in readers.get(name, {}).items()
            if sha256 != output.sha256
        ]
    else:
        doubts = [f"The latest execution is {record.status}; the files come from an earlier one."]
    for name in record.taken_inputs if record else ():
        doubts.append(f"It used {name}, which was changed after its job made it.")
    return Run(
        name=job.name,
        command=job.command,
        inputs=job.inputs,
        outputs=job.outputs,
        record=record,
        doubts=tuple(doubts),
    )
