"""Write the record of the running execution, from its start to its end."""

import os
import resource
import sys
import time
import uuid
from collections.abc import Mapping

from mdrnets.dag.pipeline import Job, Pipeline, record_name
from mdrnets.errors import UserError
from mdrnets.layout import Layout
from mdrnets.tracking import provenance
from mdrnets.tracking.curves import append_point, curves_path, last_step
from mdrnets.tracking.inputs import TAKE_CHANGED, check_inputs
from mdrnets.tracking.record import Record, Status, hashes, now
from mdrnets.tracking.record_store import RecordStore


class RunRecorder:
    """Writes the record of one execution: RUNNING at once, the rest at its end."""

    def __init__(
        self,
        *,
        pipeline: Pipeline,
        stage: str,
        wildcards: Mapping[str, str],
        job: Job,
        resumes: bool,
    ) -> None:
        """Write the record of an execution that begins.

        Args:
            pipeline: the table of stages.
            stage: see `StageRun`.
            wildcards: see `StageRun`.
            job: what the execution reads and writes.
            resumes: whether the stage continues where an unfinished execution stopped.
        """
        config = pipeline.config
        self.job = job
        self.records = RecordStore(Layout(config.name).records)
        self._begin = time.monotonic()
        self._measurements: dict[str, bool | int | float | str] = {}
        inputs = hashes(job.inputs)
        self._check = check_inputs(pipeline, inputs)
        self._takes_changed = os.environ.get(TAKE_CHANGED) == "1"
        if not self._takes_changed:
            # They are not read. A training continues its record once the files are back.
            inputs |= {name: changed.made for name, changed in self._check.changed.items()}
        self.record = self.records.begin(
            Record(
                name=record_name(job.stage, job.wildcards),
                stage=stage,
                wildcards=dict(wildcards),
                profile=config.name,
                command=job.command,
                execution=uuid.uuid4().hex,
                attempts=1,
                status="RUNNING",
                started=now(),
                invocation=provenance.invocation(),
                workflow=provenance.workflow_command(),
                process=provenance.this_process(),
                threads=config.profile.threads,
                parameters=dict(job.parameters),
                inputs=inputs,
                taken_inputs=tuple(self._check.changed) if self._takes_changed else (),
                code=hashes(job.code),
                git=provenance.git_state(config.name),
                versions=provenance.versions(),
                machine=provenance.machine(),
            ),
            resumes=resumes,
        )
        self.curves = curves_path(self.records.path(self.record.name))
        self._last_step = last_step(self.curves)

    def check_inputs(self) -> None:
        """Compare the inputs with the records of the jobs that made them.

        Raises:
            UserError: one was changed since, and is not to be taken as it is.
        """
        self._check.warn(taken=self._takes_changed)
        if not self._takes_changed:
            self._check.refuse()

    def add_point(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to the curves; skip those that a resumed training repeats."""
        if step > self._last_step:
            append_point(self.curves, step, values)

    def note(self, key: str, value: bool | int | float | str) -> None:
        self._measurements[key] = value

    def end(self, error: BaseException | None) -> None:
        """Complete the record.

        Args:
            error: what ended the execution, or None.
        """
        status, sentence = _outcome(error)
        self.record = self.records.update(
            self.record,
            status=status,
            error=sentence,
            ended=now(),
            seconds=self.record.seconds + time.monotonic() - self._begin,
            outputs=hashes(self.job.outputs) if status == "FINISHED" else {},
            measurements=self._measurements,
            peak_memory=_peak_memory(),
            machine=provenance.machine(),  # again, since torch now knows the GPUs
        )


def _outcome(error: BaseException | None) -> tuple[Status, str | None]:
    if error is None:
        return "FINISHED", None
    if isinstance(error, KeyboardInterrupt):
        return "KILLED", "Ctrl-C"
    if isinstance(error, SystemExit):
        return "KILLED", f"ended by a signal, exit code {error.code}"
    if isinstance(error, UserError):
        return "FAILED", str(error)
    return "FAILED", f"{type(error).__name__}: {error}"


def _peak_memory() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
