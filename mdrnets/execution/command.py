"""What every stage's command line shares: its arguments, log, signals and record.

A stage is `python -m stages.NAME … --profile PROFILE`, run from the project's folder.
"""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Protocol

from mdrnets.errors import UserError
from mdrnets.execution.log import log_to_stderr, tolerate_encoding
from mdrnets.execution.program import exit_code, profile_parser
from mdrnets.files.text import read_json
from mdrnets.runtime.workers import local_rank

if TYPE_CHECKING:
    from mdrnets.dag.pipeline import Job, Pipeline
    from mdrnets.execution.run import StageRun

EXPECTED_DIGEST = "MDRNETS_CODE_DIGEST"
"""In the environment of a job of Snakemake: the digest of the code that it was planned for."""
ARGUMENTS = {
    "dataset": "a data set of the profile",
    "method": "a method of the profile, METHOD@VARIANT or METHOD@seedN",
    "name": "a table, a figure, `claims` or `report`",
    "network": "a method of the profile, a variant of one, or a component that one uses",
    "source": "a source of the profile",
    "what": "images, labels or holes",
}
"""The arguments of all stages, as their help explains them."""

Body = Callable[["StageRun"], None]


class Main(Protocol):
    """A program's entry: its arguments, by default the command line's, to its exit code."""

    def __call__(self, arguments: Sequence[str] | None = None) -> int: ...


class Terminated(SystemExit):
    """Raised when SIGTERM arrives: save what must be saved, and raise it again."""

    def __init__(self) -> None:
        super().__init__(128 + signal.SIGTERM)


def stage_command(
    *names: str,
    add_options: Callable[[argparse.ArgumentParser], None] | None = None,
    worker: Callable[..., int] | None = None,
) -> Callable[[Body], Main]:
    """Make the body of a stage's module its program: `main(arguments) -> exit code`.

    The module's docstring is the help. The arguments are parsed before anything else is imported.

    Args:
        names: of the arguments, in their order; one that ends in `?` is optional.
        add_options: adds options, which the body finds as `run.options`.
        worker: what a further process of a training runs instead, with the profile and the
            arguments; the first one starts it with its own command line.
    """

    def decorate(body: Body) -> Main:
        module = body.__globals__

        @wraps(body)
        def main(arguments: Sequence[str] | None = None) -> int:
            tolerate_encoding()
            program = module["__spec__"].name.rpartition(".")[2]
            parser = profile_parser(f"python -m stages.{program}", module["__doc__"])
            for name in names:
                plain, optional, _ = name.partition("?")
                parser.add_argument(plain, nargs=optional or None, help=ARGUMENTS[plain])
            if add_options is not None:
                add_options(parser)
            options = parser.parse_args(arguments)
            values = {name.rstrip("?"): getattr(options, name.rstrip("?")) for name in names}
            given = {name: value for name, value in values.items() if value is not None}
            if worker is not None and local_rank() > 0:
                return worker(options.profile, **given)
            return execute(program, given, options.profile, body, options=options)

        return main

    return decorate


def execute(
    program: str,
    arguments: Mapping[str, str],
    profile: str | None,
    body: Body,
    *,
    options: argparse.Namespace | None = None,
) -> int:
    """Run a stage's body, keep its record, and return the exit code.

    Args:
        program: `NAME` of `stages.NAME`.
        arguments: of the program by name, in their order.
        profile: None: the one that `params.yaml` names.
        body: does the stage's work; takes a `StageRun`.
        options: the options of the command line.
    """
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        with log_to_stderr(_Formatter()):
            return exit_code(
                lambda: _execute(program, arguments, profile, body, options or argparse.Namespace())
            )
    except Terminated:
        print("terminated", file=sys.stderr)
        return 128 + signal.SIGTERM
    finally:
        signal.signal(signal.SIGTERM, before)


def _execute(
    program: str,
    arguments: Mapping[str, str],
    profile: str | None,
    body: Body,
    options: argparse.Namespace,
) -> int:
    from mdrnets.config.load import load_config
    from mdrnets.dag.pipeline import Pipeline, record_name
    from mdrnets.execution.run import STREAMED_PROGRAM, StageRun
    from mdrnets.runtime.gpus import lock_gpus
    from mdrnets.tracking.record_store import RecordStore

    pipeline = Pipeline(load_config(profile))
    job = pipeline.find(program, list(arguments.values()))
    _check_code(pipeline, job)
    rendered = program == "render"  # its stages have names of their own
    records = RecordStore(pipeline.layout.records)
    resumes = program == STREAMED_PROGRAM  # of other jobs, a second execution does no harm
    name = record_name(job.stage, job.wildcards)
    with records.lock_job(name) if resumes else nullcontext():
        run = StageRun(
            pipeline=pipeline,
            job=job,
            stage=job.stage.name if rendered else program,
            wildcards={} if rendered else arguments,
            options=options,
        )
        try:
            run.check_inputs()
            with lock_gpus(job.gpus, share=pipeline.config.profile.jobs_per_gpu):
                body(run)
        except (FileNotFoundError, UserError) as error:
            missing = _missing_input(error, pipeline, job)
            run.end(missing or error)
            if missing is None:
                raise
            raise missing from None
        except BaseException as error:
            run.end(error)
            raise
        run.end(None)
    return os.EX_OK


def _missing_input(
    error: FileNotFoundError | UserError, pipeline: "Pipeline", job: "Job"
) -> UserError | None:
    """The sentence for an input that is missing, if that is the error."""
    from mdrnets.dag.pipeline import snakemake_command

    named = str(error).partition(": ")[0] if isinstance(error, UserError) else error.filename
    path = Path(named or "")
    if path not in job.inputs or path.exists():
        return None
    if path in pipeline.makers:
        command = snakemake_command(pipeline.config.name, path)
        return UserError(
            f"{path}: file not found, expected from an earlier stage; make it with `{command}`"
        )
    if isinstance(error, UserError):
        return error
    return UserError(f"{path}: file not found; restore it, for example from git")


def _check_code(pipeline: "Pipeline", job: "Job") -> None:
    """Refuse to run code that was edited since the engine planned this job.

    Its outputs would be recorded under the digest of the code that was planned.

    Raises:
        UserError: the digest of the job's code is another one than its engine expects.
    """
    expected = os.environ.get(EXPECTED_DIGEST)
    if "DVC_STAGE" in os.environ:
        expected = _digest_for_dvc(pipeline.layout.code, job)
    if expected is not None and expected != job.digest["code"]:
        raise UserError(
            f"{job.code[0]} or another file that `{job.command}` uses was edited after the run was "
            "started; start the run again"
        )


def _digest_for_dvc(path: Path, job: "Job") -> str | None:
    if not path.exists():
        return None
    digest = read_json(path, remedy="run `dvc repro` again")
    with suppress(KeyError, TypeError):
        for key in job.path:
            digest = digest[key]
        return str(digest["code"])
    return None


class _Formatter(logging.Formatter):
    """Adds the time if a log file is written, and the level to warnings and errors."""

    def __init__(self) -> None:
        plain = "%(message)s" if sys.stderr.isatty() else "%(asctime)s %(message)s"
        super().__init__(plain, datefmt="%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        if record.levelno > logging.INFO:
            record.message = f"{record.levelname.lower()}: {record.message}"
        return super().formatMessage(record)


def _terminate(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not interrupt the saving
    raise Terminated
