"""Which jobs of a profile are done, running, failed or left, and how long the rest will take.

Everything comes from files: the run records, the outputs, the curves and saved states of trainings,
and the plan. Nothing is written.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Literal, get_args

from mdrnets.config.network_id import NetworkId
from mdrnets.dag.pipeline import Job, Pipeline
from mdrnets.dag.stage import Group
from mdrnets.layout import Layout
from mdrnets.planning.resources import read_planned_seconds
from mdrnets.planning.schedule import Task
from mdrnets.planning.sizes import count_images, count_steps
from mdrnets.tracking.curves import read_points
from mdrnets.tracking.executions import is_current
from mdrnets.tracking.record import FileHash, Record
from mdrnets.tracking.record_store import RecordStore

State = Literal["done", "running", "failed", "interrupted", "left"]
STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True)
class Progress:
    """The progress of a training.

    Attributes:
        step: the last step, counted over all phases.
        steps: number of steps of all phases.
    """

    step: int
    steps: int

    @property
    def share(self) -> float:
        return self.step / self.steps


@dataclass(frozen=True)
class JobStatus:
    """The present state of one job.

    Attributes:
        group: of its stage.
        seconds: how long it has run, in all attempts; 0 without a record.
        seconds_left: None if unknown.
        progress: of a training that is running or was interrupted.
        error: why it failed or was interrupted.
        needs: names of the jobs whose outputs it reads.
    """

    name: str
    group: Group
    state: State
    needs: tuple[str, ...]
    seconds: float = 0
    seconds_left: float | None = None
    progress: Progress | None = None
    error: str | None = None


@dataclass(frozen=True)
class _Candidate:
    """A job with its latest record."""

    job: Job
    record: Record | None

    @property
    def kind(self) -> tuple[str, ...]:
        """Jobs of one kind, trainings of one network or runs of one program, take equally long."""
        program = self.job.stage.program
        network = (NetworkId.parse(self.job.arguments[1]).base,) if program == "train" else ()
        return (program, *network)


def job_statuses(pipeline: Pipeline) -> list[JobStatus]:
    """Return the status of every job of the profile, in an order in which they can run."""
    candidates = list(_candidates(pipeline))
    makers = {path: c for c in candidates for path in c.job.outputs}
    states: dict[str, State] = {}
    statuses = []
    for candidate in candidates:
        needs = {path: makers[path] for path in candidate.job.inputs if path in makers}
        names = tuple(dict.fromkeys(maker.job.name for maker in needs.values()))
        state = _state(candidate, needs, up_to_date=all(states[n] == "done" for n in names))
        states[candidate.job.name] = state
        record = candidate.record
        statuses.append(
            JobStatus(
                name=candidate.job.name,
                group=candidate.job.stage.group,
                state=state,
                needs=names,
                seconds=_seconds(record) if record else 0,
                progress=_progress(pipeline, candidate, state),
                error=record.error if record and state in ("failed", "interrupted") else None,
            )
        )
    expected = _expected_seconds(pipeline.layout, candidates)
    return [
        replace(status, seconds_left=_seconds_left(status, expected.get(status.name)))
        for status in statuses
    ]


def remaining_tasks(statuses: Sequence[JobStatus]) -> dict[str, Task]:
    """Return the jobs that are not done, for `schedule`; unknown durations count as 0."""
    left = {status.name: status for status in statuses if status.state != "done"}
    return {
        name: Task(
            seconds=status.seconds_left or 0,
            gpus=0,
            needs=[need for need in status.needs if need in left],
        )
        for name, status in left.items()
    }


def _candidates(pipeline: Pipeline) -> Iterator[_Candidate]:
    records = {r.command: r for r in RecordStore(pipeline.layout.records).latest_checked()}
    for job in pipeline.jobs():
        yield _Candidate(job, records.get(job.command))


def _state(candidate: _Candidate, needs: Mapping[Path, _Candidate], *, up_to_date: bool) -> State:
    """Return a job's state, given the maker of each input and whether all makers are `up_to_date`.

    A record with other parameters or other code says nothing about the present job.
    """
    job, record = candidate.job, candidate.record
    if record is not None and record.status == "RUNNING":
        return "running"
    if record is not None and not is_current(record, job):
        return "left"
    if record is not None and record.status != "FINISHED":
        return "failed" if record.status == "FAILED" else "interrupted"
    exists = all(path.is_file() for path in job.outputs)
    if not exists or not up_to_date:
        return "left"
    return "done" if record is None or _read_current_inputs(record, needs) else "left"


def _read_current_inputs(record: Record, needs: Mapping[Path, _Candidate]) -> bool:
    """Whether an execution read the inputs that the latest executions of their makers wrote."""

    def latest_hash(path: Path) -> FileHash | None:
        maker = needs[path].record
        return maker.outputs.get(path.as_posix()) if maker else None

    return all(
        latest_hash(path) in (None, record.inputs[path.as_posix()])
        for path in needs
        if path.as_posix() in record.inputs
    )


def _seconds(record: Record) -> float:
    """Return the seconds of all attempts, a running one included."""
    running = time.time() - record.process.created if record.status == "RUNNING" else 0
    return record.seconds + max(running, 0)


def _progress(pipeline: Pipeline, candidate: _Candidate, state: State) -> Progress | None:
    """The progress of a training: its saved state or, while it runs, its last logged step."""
    if candidate.job.stage.program != "train" or state not in ("running", "interrupted", "failed"):
        return None
    record = candidate.record
    assert record is not None
    dataset, network = candidate.job.arguments
    steps = [_saved_step(pipeline.layout, dataset, network, since=record.started)]
    if state == "running":
        curves = RecordStore(pipeline.layout.records).curves(record)
        steps += [point["step"] for point in read_points(curves)[0]]
    if not any(steps):
        return None
    images = count_images(pipeline.config, pipeline.layout, dataset)
    return Progress(step=max(steps), steps=count_steps(pipeline.config, network, images))


def _saved_step(layout: Layout, dataset: str, network: str, *, since: datetime) -> int:
    """Return the step of the newest saved state, or 0; older ones belong to other executions."""
    times = {}
    for state in (layout.states / dataset).glob(f"{network}-*/step-*.pt"):
        with suppress(FileNotFoundError):  # a running training removes old ones
            times[state] = state.stat().st_mtime
    newest = max(times, key=lambda state: times[state], default=None)
    if newest is None or times[newest] < since.timestamp():
        return 0
    return int(newest.stem.partition("-")[2])


def _expected_seconds(layout: Layout, candidates: list[_Candidate]) -> dict[str, float]:
    """Estimate how long jobs take: by an earlier execution, the plan, or jobs of their kind."""
    finished = {
        c.job.name: (c.kind, c.record.seconds)
        for c in candidates
        if c.record is not None
        and c.record.status == "FINISHED"
        and c.record.parameters == c.job.parameters
    }
    by_kind: dict[tuple[str, ...], list[float]] = {}
    for kind, seconds in finished.values():
        by_kind.setdefault(kind, []).append(seconds)
    similar = {c.job.name: median(by_kind[c.kind]) for c in candidates if c.kind in by_kind}
    earlier = {name: seconds for name, (_, seconds) in finished.items()}
    return similar | read_planned_seconds(layout.plan, layout.run.name) | earlier


def _seconds_left(status: JobStatus, expected: float | None) -> float | None:
    if status.state == "done":
        return 0.0
    share = status.progress and status.progress.share
    if share and status.seconds:
        return status.seconds * max(1 - share, 0) / share
    if expected is not None and status.state == "running":
        return max(expected - status.seconds, 0)
    return expected
