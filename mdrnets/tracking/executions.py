"""The executions that made the existing results, each with its record."""

from dataclasses import dataclass

from mdrnets.dag.pipeline import Job, Pipeline
from mdrnets.dag.stage import Stage
from mdrnets.errors import UserError
from mdrnets.tracking.record import Record, RecordStore


@dataclass(frozen=True)
class Execution:
    """One finished execution of a stage.

    Attributes:
        stage: the entry in the table of stages.
        job: its inputs, outputs and parameters as they are configured now.
        record: what happened.
    """

    stage: Stage
    job: Job
    record: Record


def executions(pipeline: Pipeline) -> list[Execution]:
    """The executions of all jobs whose outputs exist, in an order in which they can have run.

    Raises:
        UserError: outputs have no record of a finished execution, or there are no outputs.
    """
    records = RecordStore(pipeline.layout.records)
    finished = {r.command: r for r in records.latest() if r.status == "FINISHED"}
    finished_executions = []
    for stage in pipeline.stages.values():
        for wildcards in stage.combinations():
            job = pipeline.job(stage, wildcards)
            if all(path.is_file() for path in job.outputs):
                if job.command not in finished:
                    raise UserError(
                        f"{job.outputs[0]}: no record of it found; if it was pulled, run "
                        "`make restore`, otherwise remove the file and run its stage again"
                    )
                finished_executions.append(Execution(stage, job, finished[job.command]))
    if not finished_executions:
        raise UserError(f"{pipeline.layout.run}: no finished run found; `make table1` makes one")
    return finished_executions
