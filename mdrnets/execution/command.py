"""What every stage's command line shares: parsing, configuration, exit codes, progress, its record.

A stage is `python -m stages.NAME … --profile PROFILE`, run from the project's folder. Exit codes:
0 done, 1 an error, 2 wrong usage, 130 Ctrl-C, 143 SIGTERM.
"""

import argparse
import errno
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import suppress
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import Protocol, TypeVar

from mdrnets.config.load import Config, load_config
from mdrnets.dag.pipeline import Job, Pipeline
from mdrnets.errors import UserError
from mdrnets.layout import Layout
from mdrnets.runtime.gpus import locked_gpus
from mdrnets.tracking.recorder import RunRecorder
from mdrnets.tracking.store import TrackingError
from mdrnets.tracking.stream import Stream, retry_hint
from mdrnets.tracking.sync import sync

LINE_EVERY = 10.0
"""Seconds between two lines of progress in a log."""
STREAMS = "train"
"""The stage whose curves are sent while it runs, and which resumes what was interrupted."""
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
"""What the system says of a folder or file that may not be written or read."""
SYNCS = "report"
"""The group of the workflow's last stages: they send what the others recorded."""

Item = TypeVar("Item")


class Main(Protocol):
    """A command's entry: its arguments, by default the command line's, to its exit code."""

    def __call__(self, arguments: Sequence[str] | None = None) -> int: ...


class Terminated(SystemExit):
    """SIGTERM arrived: save what must be saved, then let it pass."""

    def __init__(self) -> None:
        super().__init__(128 + signal.SIGTERM)


class StageRun:
    """One execution of a stage: what its body works with.

    Attributes:
        config: protocol and profile.
        layout: where the profile's files lie.
        stage: the program, `NAME` of `stages.NAME`; for what `stages.render` makes, its name.
        wildcards: its arguments by name, for example `{"dataset": "rendered_a"}`.
    """

    def __init__(
        self,
        *,
        config: Config,
        stage: str,
        wildcards: Mapping[str, str],
        journal: RunRecorder,
        syncs: bool,
    ) -> None:
        """Args:
        journal: of this execution.
        syncs: whether to send all records at the end.
        """
        self.config = config
        self.layout = Layout(config.name)
        self.stage = stage
        self.wildcards = dict(wildcards)
        self._journal = journal
        self._syncs = syncs
        self._stream = Stream(journal, say=self.say) if stage == STREAMS else None

    def say(self, line: str) -> None:
        """Print a line to stderr. A reader that went away (`2>&1 | head`) stops no stage."""
        with suppress(OSError, ValueError):
            print(line, file=sys.stderr, flush=True)

    def progress(
        self, items: Iterable[Item], *, total: int | None = None, label: str
    ) -> Iterator[Item]:
        """Iterate and show how far it is: a bar on a terminal, now and then a line in a log.

        Args:
            items: what to iterate over.
            total: number of items; by default their `len()`, where they have one.
            label: what is done to them.
        """
        if total is None and isinstance(items, Sized):
            total = len(items)
        if sys.stderr.isatty():
            from tqdm import tqdm

            yield from tqdm(items, total=total, desc=label, dynamic_ncols=True)
        else:
            yield from self._lines(items, total, label)

    def _lines(self, items: Iterable[Item], total: int | None, label: str) -> Iterator[Item]:
        begin = last = time.monotonic()
        count = 0
        for item in items:
            yield item
            count += 1
            now = time.monotonic()
            if now - last >= LINE_EVERY and count != total:
                of_total = f" of {total} ({100 * count // total} %)" if total else ""
                self.say(f"{label}: {count}{of_total}, {now - begin:.0f} s")
                last = now
        self.say(f"{label}: {count} done, {time.monotonic() - begin:.1f} s")

    def log_metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to the execution's curves."""
        self._journal.add_point(step, values)
        if self._stream is not None:
            self._stream.offer()

    def note(self, key: str, value: bool | int | float | str) -> None:
        """Add a measurement (seconds, parameters, images per second) to the execution's record."""
        self._journal.note(key, value)

    def end(self, error: BaseException | None) -> None:
        """Complete the record and send it, if it is this stage's turn. Never fails.

        Args:
            error: what ended the execution, or None.
        """
        try:
            self._journal.end(error)
        except (OSError, UserError) as trouble:  # a full disk must not cost a finished result
            self.say(f"tracking: the record could not be written: {trouble}")
        if self._stream is not None:
            self._stream.close()
        if self._syncs and self.layout.setup.exists():  # which made the database
            try:
                sync(self._journal.records, self.config.name)
            except (TrackingError, UserError) as trouble:
                self.say(retry_hint(trouble))


def stage_parser(doc: str | None) -> argparse.ArgumentParser:
    """A parser whose help is the stage's docstring, with `--profile`."""
    module = sys.modules["__main__"].__spec__
    parser = argparse.ArgumentParser(
        prog=f"python -m {module.name}" if module else None,
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--profile", help="a file of profiles/; by default that of params.yaml")
    return parser


def handle_user_errors(main: Main) -> Main:
    """Decorate the `main` of a command that keeps no record: an error is a sentence, and exit 1."""

    @wraps(main)
    def run(arguments: Sequence[str] | None = None) -> int:
        try:
            return main(arguments)
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1

    return run


def execute(
    stage: str,
    wildcards: Mapping[str, str],
    profile: str | None,
    body: Callable[[StageRun], None],
) -> int:
    """Run a stage's body, keep its record, and return the exit code.

    Args:
        stage: the program, `NAME` of `stages.NAME`; for what `stages.render` makes, its name.
        wildcards: the program's arguments by name, in their order.
        profile: None: the one that `params.yaml` names.
        body: does the stage's work.
    """
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        _execute(stage, wildcards, profile, body)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno not in FORBIDDEN or error.filename is None:
            raise
        print(
            f"error: {error.filename}: {error.strerror}; make it readable and writable, or run "
            "the project from another folder",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    except Terminated:
        print("terminated", file=sys.stderr)
        return 128 + signal.SIGTERM
    finally:
        signal.signal(signal.SIGTERM, before)
    return os.EX_OK


def _execute(
    stage: str,
    wildcards: Mapping[str, str],
    profile: str | None,
    body: Callable[[StageRun], None],
) -> None:
    config = load_config(profile)
    pipeline = Pipeline(config)
    last = stage in pipeline.stages and pipeline.stages[stage].group == SYNCS
    if last:
        job = pipeline.job(pipeline.stages[stage], wildcards)
    else:
        job = pipeline.find(stage, list(wildcards.values()))
    journal = RunRecorder(
        config=config,
        stage=stage,
        wildcards=wildcards,
        job=job,
        resumes=stage == STREAMS,
    )
    run = StageRun(config=config, stage=stage, wildcards=wildcards, journal=journal, syncs=last)
    try:
        with locked_gpus(job.gpus, say=run.say):
            body(run)
    except FileNotFoundError as error:
        missing = _missing_input(error, job)
        run.end(missing or error)
        if missing is None:
            raise
        raise missing from None
    except BaseException as error:
        run.end(error)
        raise
    run.end(None)


def _missing_input(error: FileNotFoundError, job: Job) -> UserError | None:
    """The sentence for an input that no earlier stage has made yet."""
    if error.filename is None or Path(error.filename) not in job.inputs:
        return None
    return UserError(
        f"{error.filename}: there is no such file; the stages before this one make it: "
        f"`snakemake --cores all {error.filename}`"
    )


def _terminate(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not interrupt the saving
    raise Terminated
