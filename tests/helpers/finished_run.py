"""A finished run of toys: every output of a tiny profile, with a record of who made it."""

import hashlib
import shutil
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from mdrnets.commands.command_line import run_command
from mdrnets.config.load import load_config
from mdrnets.dag.pipeline import Job, Pipeline
from mdrnets.files import write_text
from mdrnets.files.tables import field_names
from mdrnets.layout import Layout
from mdrnets.reporting.tables.cells import Cell
from mdrnets.tracking.record import Record, hashes, now
from mdrnets.tracking.record_store import RecordStore
from tests.helpers.project import ROOT, write_configuration, write_data

Make = Callable[..., Record]
LAYOUT = Layout("tiny")
REFERENCE = Path("reports/reference/tiny")
VERSIONS = {"python": "3.11.7", "snakemake": "9.27.1", "torch": "2.12.1"}
VALUES = {("L1", "1-20"): 1.5, ("L1", "20-40"): 2.5, ("FD(effnet-lite0)", "1-20"): 12.0}
"""Of Table 1; a further cell is blank."""


def write_finished_run(make_record: Make) -> Pipeline:
    """Write configuration, outputs and records to the current folder."""
    write_configuration(Path())
    write_data(Path())
    for name in ("Snakefile", "LICENSE", "README.md", "requirements.lock"):
        shutil.copy(ROOT / name, name)
    for folder in ("workflow/rules", "stages", "reports/published"):
        shutil.copytree(ROOT / folder, folder)
    pipeline = Pipeline(load_config())
    for job in pipeline.jobs():
        for path in job.outputs:
            if path == LAYOUT.report("table1.csv"):
                write_table1(VALUES)
            elif not path.exists():
                write_text(path, f"{path}\n")
        finish(make_record, job)
    return pipeline


def write_reference_run(make_record: Make) -> Pipeline:
    """Write a finished run to the current folder, and keep it as the reference run `REFERENCE`."""
    pipeline = write_finished_run(make_record)
    shutil.copy(LAYOUT.report("table1.csv"), LAYOUT.report("table1_extended.csv"))
    finish_table1(make_record, pipeline)
    assert run_command("keep", []) == 0
    return pipeline


def finish(make_record: Make, job: Job) -> Record:
    """Record that an execution has made its outputs."""
    records = RecordStore(LAYOUT.records)
    record = records.begin(
        make_record(
            name=job.name.replace(" ", "-"),
            stage=job.stage.program,
            profile="tiny",
            command=job.command,
            invocation="snakemake-0123456789ab",
            parameters=dict(job.parameters),
            inputs=hashes(job.inputs),
            code=hashes(job.code),
            versions=VERSIONS,
        ),
        resumes=False,
    )
    end = now() + timedelta(seconds=1)
    return records.update(
        record, status="FINISHED", ended=end, outputs=hashes(job.outputs), seconds=1.0
    )


def write_lock(pipeline: Pipeline, job: Job, *, digest: Mapping[str, Any]) -> None:
    """Write a `dvc.lock` in which DVC has restored the present outputs of a job.

    Args:
        pipeline: the table of stages.
        job: of it.
        digest: of the job when the outputs were made.
    """
    outs = [
        {"path": str(path), "hash": "md5", "md5": hashlib.md5(path.read_bytes()).hexdigest()}
        for path in job.outputs
    ]
    params = {str(pipeline.layout.code): {".".join(job.path): dict(digest)}}
    lock = {"schema": "2.0", "stages": {job.stage.name: {"params": params, "outs": outs}}}
    write_text(Path("dvc.lock"), yaml.safe_dump(lock))


def finish_table1(make_record: Make, pipeline: Pipeline) -> Record:
    """Record that Table 1 was rendered as it is now."""
    return finish(make_record, pipeline.find("render", ["table1"]))


def write_table1(values: dict[tuple[str, str], float]) -> None:
    """Table 1 of one method on one data set."""
    rows = [_row(metric, name, value) for (metric, name), value in values.items()]
    blank = "one,FFHQ,ict,L1,1-20,,,,,,,0,not run in this profile"
    lines = [",".join(field_names(Cell)), *rows, blank]
    write_text(LAYOUT.report("table1.csv"), "\n".join(lines) + "\n")


def _row(metric: str, name: str, value: float) -> str:
    return f"one,FFHQ,toy,{metric},{name},{value},{value - 1},{value + 1},60,,,0,"
