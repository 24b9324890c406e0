"""Which executions stand behind a file: their records, and whether each is that of the file in use.

A record tells of the latest execution of its stage on this machine. It may be missing (results that
were restored), unfinished, or about another file than the one that was read; the page says so.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mdrnets.dag.pipeline import Job, Pipeline
from mdrnets.tracking.record import Record, RecordStore

NO_RECORD = "There is no record of it here: its results came from another machine or cache."

Readers = Mapping[str, Mapping[str, str]]
"""File → what the latest executions that read it found: SHA-256 → the record's name."""


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
        record: None: there is none on this machine.
        doubts: why the files in use may be those of another execution.
    """

    name: str
    command: str
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    record: Record | None
    doubts: tuple[str, ...]

    @property
    def anchor(self) -> str:
        """Of its place in the page."""
        return anchor("run", self.name)

    @property
    def mlflow(self) -> str | None:
        """The id of its MLflow run; None: MLflow does not have it."""
        return self.record.sent.run_id if self.record and self.record.sent else None


def read_runs(pipeline: Pipeline) -> list[Run]:
    """All executions of a profile, those first that come last."""
    instances = list(_deciding(pipeline))
    latest = RecordStore(pipeline.layout.records).latest()
    known = {record.command: record for record in latest}
    records = [known.get(job.command) for job in instances]
    readers = _readers(filter(None, records))
    runs = [_run(*pair, readers) for pair in zip(instances, records, strict=True)]
    return runs[::-1]


def upstream_runs(runs: Sequence[Run], *paths: Path) -> list[Run]:
    """The executions that led to files.

    Args:
        runs: those first that come last.
        paths: the files.
    """
    wanted, found = set(paths), []
    for run in runs:
        if wanted.intersection(run.outputs):
            found.append(run)
            wanted.update(run.inputs)
    return found


def _deciding(pipeline: Pipeline) -> Iterator[Job]:
    """Without the set-up of the tracking database, which decides nothing."""
    for stage in pipeline.stages.values():
        if stage.setup:
            for wildcards in stage.combinations():
                yield pipeline.job(stage, wildcards)


def _readers(records: Iterable[Record]) -> Readers:
    readers: dict[str, dict[str, str]] = defaultdict(dict)
    for record in records:
        if record.status in ("FINISHED", "RUNNING"):
            for name, found in record.inputs.items():
                readers[name][found.sha256] = record.name
    return readers


def _run(job: Job, record: Record | None, readers: Readers) -> Run:
    if record is None:
        doubts = [NO_RECORD]
    elif record.status == "FINISHED":
        doubts = [
            f"{reader} read another {name} than this execution made."
            for name, made in record.outputs.items()
            for found, reader in readers.get(name, {}).items()
            if found != made.sha256
        ]
    else:
        doubts = [f"Its latest execution is {record.status}; the files are of an earlier one."]
    return Run(
        name=job.name,
        command=job.command,
        inputs=job.inputs,
        outputs=job.outputs,
        record=record,
        doubts=tuple(doubts),
    )
