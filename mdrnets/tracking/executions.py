"""The executions behind the results that are here, each with its record."""

from dataclasses import dataclass

from mdrnets.dag.pipeline import Job, Pipeline
from mdrnets.dag.stage import Stage
from mdrnets.errors import UserError
from mdrnets.tracking.record import Record, RecordStore


@dataclass(frozen=True)
class Execution:
    """One execution of a stage, finished.

    Attributes:
        stage: of the table of stages.
        job: what the table says of it.
        record: what happened.
    """

    stage: Stage
    job: Job
    record: Record


def executions(pipeline: Pipeline) -> list[Execution]:
    """Of every stage whose outputs are here, in an order in which they can have run.

    Raises:
        UserError: outputs without a record of a finished execution, or none at all.
    """
    records = RecordStore(pipeline.layout.records)
    finished = {r.command: r for r in records.latest() if r.status == "FINISHED"}
    found = []
    for stage in pipeline.stages.values():
        for wildcards in stage.combinations():
            job = pipeline.job(stage, wildcards)
            if all(path.is_file() for path in job.outputs):
                if job.command not in finished:
                    raise UserError(
                        f"{job.outputs[0]}: no record tells who made it; `make restore` "
                        "brings the records of pulled results, else remove it and run its stage"
                    )
                found.append(Execution(stage, job, finished[job.command]))
    if not found:
        raise UserError(f"{pipeline.layout.run}: nothing has run here; `make table1` does")
    return found
