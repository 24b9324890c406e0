"""Import the results of a bundle: models, completions, scores, and the records of their jobs.

Nothing is written unless everything fits: each job that finished on the other machine had the code,
the parameters and the inputs that it would have here, and its outputs match their record.
"""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from mdrnets.dag.pipeline import Job, Pipeline, record_name
from mdrnets.errors import UserError
from mdrnets.exchange.bundle import select_jobs
from mdrnets.files import atomic_write
from mdrnets.files.archives import DAMAGED_ZIP, open_zip
from mdrnets.files.text import unreadable_error
from mdrnets.tracking.curves import curves_path
from mdrnets.tracking.executions import changed_parameter, has_current_code
from mdrnets.tracking.record import FileHash, Record, hashes
from mdrnets.tracking.record_store import RecordStore

REMEDY = "copy the results again"
MAX_RECORD_BYTES = 2**26


@dataclass(frozen=True)
class ReturnedRun:
    """The files of a run on the other machine.

    Attributes:
        name: of the folder or archive that holds them, for error messages.
        folder: of the run, in that folder or archive.
        run: the path of this folder in the project.
    """

    name: str
    folder: Path | zipfile.Path
    run: Path

    def file(self, path: Path) -> Path | zipfile.Path:
        """A file by its path in the project."""
        return self.folder.joinpath(*path.relative_to(self.run).parts)


@dataclass(frozen=True)
class ImportedJob:
    """A job that finished on the other machine.

    Attributes:
        job: as it is configured here.
        record: of its execution.
    """

    job: Job
    record: Record


@contextmanager
def open_results(path: Path, pipeline: Pipeline) -> Iterator[ReturnedRun]:
    """The results in a folder or in a zip archive.

    Args:
        path: the unpacked bundle where it ran, or an archive of its folder `runs/PROFILE`.
        pipeline: of the profile.

    Raises:
        UserError: it is neither.
    """
    run = pipeline.layout.run
    if path.is_dir():
        yield ReturnedRun(str(path), path / run, run)
        return
    with open_zip(path, remedy=REMEDY) as archive:
        # It may hold the project's folder, `runs`, or the run alone.
        records = re.compile(rf"([^/]+/){{0,3}}{re.escape(run.name)}/(?=records/)")
        found = next(filter(None, map(records.match, archive.namelist())), None)
        yield ReturnedRun(str(path), zipfile.Path(archive, found[0] if found else ""), run)


def find_finished(results: ReturnedRun, pipeline: Pipeline) -> list[ImportedJob]:
    """The finished jobs, checked; in an order in which they can have run.

    Raises:
        UserError: there is none; a job ran other code, or with other parameters or inputs, than
            today's; or an output is missing or has another digest than its record says.
    """
    finished: list[ImportedJob] = []
    made: dict[str, FileHash] = {}
    for job in select_jobs(pipeline):
        path = pipeline.record_path(job.stage, job.wildcards)
        if results.file(path).is_file():
            record = _read_record(results, path)
            if record.status == "FINISHED":
                _check_job(results, job, record, made)
                made |= record.outputs
                finished.append(ImportedJob(job, record))
    if not finished:
        raise UserError(
            f"{results.name}: found no record of a finished job in {pipeline.layout.records}; pass "
            "the folder in which the bundle was unpacked and run, or an archive of its "
            f"{pipeline.layout.run}"
        )
    return finished


def import_jobs(results: ReturnedRun, pipeline: Pipeline, finished: list[ImportedJob]) -> None:
    """Copy the outputs and the records of jobs that `find_finished` has checked.

    Raises:
        UserError: a file changed since it was checked, or the disk is full.
    """
    records = RecordStore(pipeline.layout.records)
    for imported in finished:
        for path in imported.job.outputs:
            with atomic_write(path) as temporary:
                with results.file(path).open("rb") as source, temporary.open("wb") as target:
                    shutil.copyfileobj(source, target)
                with temporary.open("rb") as file:
                    _check_digest(results, path, imported.record, file)
        curves = curves_path(pipeline.record_path(imported.job.stage, imported.job.wildcards))
        points = results.file(curves)
        content = points.read_bytes() if points.is_file() else None
        record = imported.record.model_copy(update={"mlflow": None})
        # `find_finished` checked it; an own record of the same files may be of earlier code.
        if not records.import_record(record, content, keeps=lambda own: False):
            raise UserError(
                f"{imported.job.outputs[0]}: was changed while it was imported; wait until no job "
                "runs here, and import the results again"
            )


def mark_current(pipeline: Pipeline, finished: list[ImportedJob]) -> None:
    """Tell Snakemake that the imported files are current, and write the digests for DVC.

    Raises:
        UserError: Snakemake fails.
    """
    rules = sorted({imported.job.stage.name for imported in finished})
    outputs = [str(path) for imported in finished for path in imported.job.outputs]
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--touch", "--quiet", "all"]
    # Without --forcerun, Snakemake would not record the code that made the files.
    command += ["--forcerun", *rules, "--config", f"profile={pipeline.config.name}", "--", *outputs]
    # What Snakemake runs at its end is called `python`, also where no environment is active.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    environment = os.environ | {"PATH": path}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(
            f"{pipeline.layout.run}: the results were imported, but `snakemake --touch` failed "
            f"({said[:200]}); wait until no other Snakemake runs here, and import them again"
        )
    pipeline.write_digests()


def _check_job(
    results: ReturnedRun, job: Job, record: Record, made: Mapping[str, FileHash]
) -> None:
    first = job.outputs[0]
    bundle = "make a bundle of today's project and run it"
    if not has_current_code(record, job):
        raise UserError(
            f"{results.name}: {first} was made by other code than today's (job `{job.name}`); "
            f"check out commit {record.git.commit or 'of the bundle'}, or {bundle}"
        )
    if key := changed_parameter(record, job):
        raise UserError(
            f"{results.name}: {first} was made with another value of {key} (job `{job.name}`); "
            f"restore the value, or {bundle}"
        )
    expected = record_name(job.stage, job.wildcards)
    if record.name != expected or set(record.outputs) != set(map(str, job.outputs)):
        raise UserError(
            f"{results.name}: the record {expected} has another name or other outputs than job "
            f"`{job.name}`; {REMEDY}"
        )
    here = hashes(path for path in job.inputs if str(path) not in made)
    for name in map(str, job.inputs):
        if record.inputs.get(name) != made.get(name, here.get(name)):
            raise UserError(
                f"{results.name}: {first} was made from another {name} than the one here (job "
                f"`{job.name}`); restore that file, or {bundle}"
            )
    for path in job.outputs:
        if not results.file(path).is_file():
            raise UserError(
                f"{results.name}: {path} not found, but job `{job.name}` made it; {REMEDY}"
            )
        with results.file(path).open("rb") as file:
            _check_digest(results, path, record, file)


def _check_digest(results: ReturnedRun, path: Path, record: Record, file: IO[bytes]) -> None:
    expected = record.outputs[str(path)].sha256
    try:
        found = file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # a zip member
    except DAMAGED_ZIP as error:
        raise unreadable_error(
            results.name, error, kind="a readable file", remedy=REMEDY, member=str(path)
        ) from None
    if found != expected:
        raise UserError(
            f"{results.name}: {path} has the SHA-256 {found[:8]}…, expected {expected[:8]}… of its "
            f"record; {REMEDY}"
        )


def _read_record(results: ReturnedRun, path: Path) -> Record:
    try:
        with results.file(path).open("rb") as file:
            return Record.model_validate_json(file.read(MAX_RECORD_BYTES))
    except (ValidationError, *DAMAGED_ZIP) as error:
        raise unreadable_error(
            results.name, error, kind="a record", remedy=REMEDY, member=str(path)
        ) from None
