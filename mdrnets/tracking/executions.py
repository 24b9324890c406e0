"""The executions that made the existing results, each with its record."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mdrnets.dag.code import file_digests
from mdrnets.dag.pipeline import Job, Pipeline, record_name, snakemake_command
from mdrnets.errors import UserError
from mdrnets.tracking.dvc_lock import DvcLock
from mdrnets.tracking.inputs import recovery_hint
from mdrnets.tracking.provenance import this_process
from mdrnets.tracking.record import Record, hashes
from mdrnets.tracking.record_store import RecordStore


@dataclass(frozen=True)
class Execution:
    """One finished execution of a stage.

    Attributes:
        job: its stage, inputs, outputs and parameters as they are configured now.
        record: what happened.
    """

    job: Job
    record: Record


def executions(pipeline: Pipeline) -> list[Execution]:
    """The executions of all jobs whose outputs exist, in an order in which they can have run.

    Raises:
        UserError: outputs have no record of a finished execution, or there are no outputs.
    """
    records = RecordStore(pipeline.layout.records)
    latest = list(records.latest())
    finished = {r.command: r for r in latest if r.status == "FINISHED"}
    # The job that asks: its outputs are those of its last execution.
    me = this_process()
    running = {r.command for r in latest if r.status == "RUNNING" and r.process == me}
    finished_executions = []
    for job in pipeline.jobs():
        if all(path.is_file() for path in job.outputs) and job.command not in running:
            if job.command not in finished:
                raise UserError(
                    f"{job.outputs[0]}: no record of it found; if it was pulled, run "
                    f"`make restore PROFILE={pipeline.config.name}`, otherwise remove the file and "
                    "run its stage again"
                )
            finished_executions.append(Execution(job, finished[job.command]))
    if not finished_executions:
        raise UserError(
            f"{pipeline.layout.run}: no finished run found; "
            f"`make table1 PROFILE={pipeline.config.name}` makes one"
        )
    return finished_executions


def has_current_code(record: Record, job: Job) -> bool:
    """Whether an execution ran the code that is here now."""
    recorded = {path: known.sha256 for path, known in record.code.items()}
    return recorded == file_digests(job.code)


def changed_parameter(record: Record, job: Job) -> str | None:
    """A parameter that an execution had with another value than today's, or only one of them."""
    now, then, absent = job.parameters, record.parameters, object()
    return next((k for k in {**now, **then} if now.get(k, absent) != then.get(k, absent)), None)


def is_current(record: Record, job: Job) -> bool:
    """Whether an execution had today's parameters and code."""
    return record.parameters == job.parameters and has_current_code(record, job)


def current_records(pipeline: Pipeline) -> Callable[[Record], bool]:
    """Returns a function: whether a record is of today's parameters and code."""
    jobs = {record_name(job.stage, job.wildcards): job for job in pipeline.jobs()}
    return lambda record: record.name in jobs and is_current(record, jobs[record.name])


def check_results(pipeline: Pipeline) -> int:
    """Check that every result that is here is what today's code and configuration make.

    Returns:
        The number of jobs whose results are here.

    Raises:
        UserError: names a file without a record, one that was changed after its job ended, or one
            whose job had other code or other parameters. For files that DVC restored from another
            execution, `dvc.lock` says which code and parameters.
    """
    again = f"run `{snakemake_command(pipeline.config.name, 'reproduce_all')}`"
    made, lock = executions(pipeline), DvcLock()
    for execution in made:
        job, record = execution.job, execution.record
        now = hashes(job.outputs)
        if changed := [p for p in job.outputs if record.outputs.get(str(p)) != now[str(p)]]:
            if not all(lock.describes(str(path)) for path in job.outputs):
                raise changed_error(changed[0], execution)
            if not lock.has_current_code(job, pipeline.layout.code):
                raise UserError(
                    f"{changed[0]}: DVC restored it, as other code or values than today's made it "
                    f"(job `{job.name}`); {again}, or check out the commit that made it"
                )
            continue
        if not has_current_code(record, job):
            raise UserError(
                f"{job.outputs[0]}: made by other code than today's (job `{job.name}`); {again}, "
                "or check out the commit that made it"
            )
        if key := changed_parameter(record, job):
            raise UserError(
                f"{job.outputs[0]}: made with another value of {key} (job `{job.name}`); {again}, "
                "or restore the value"
            )
    return len(made)


def changed_error(path: Path, execution: Execution) -> UserError:
    """The sentence for a result that is not what its job made."""
    name = execution.job.name
    hint = recovery_hint(str(path), execution.record.profile)
    return UserError(f"{path}: changed after job `{name}` made it; {hint}")
