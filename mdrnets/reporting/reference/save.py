"""Saving the present run as a reference run in `reports/reference/NAME/`.

Saved are the tables of scores, which `verify` compares; claims, costs and curves; the configuration
as the stages read it; the scores of each of several trainings; and one row for each execution.
"""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mdrnets.dag.pipeline import Job, Pipeline, snakemake_command
from mdrnets.errors import UserError
from mdrnets.files import atomic_write, sha256, write_text
from mdrnets.files.tables import read_rows
from mdrnets.layout import REFERENCE
from mdrnets.reporting.reference.executions import (
    EXECUTIONS,
    select_scoring_records,
    write_executions,
)
from mdrnets.reporting.reference.run import (
    ReferenceRun,
    RunCost,
    Setting,
    load_reference,
)
from mdrnets.reporting.reference.tolerances import other_setting, same_setting
from mdrnets.reporting.reference.trainings import TRAININGS, write_trainings
from mdrnets.reporting.tables.cells import Cell
from mdrnets.tracking.executions import Execution, changed_error, executions
from mdrnets.tracking.record import Record, hashes

CONFIGURATION = "configuration.json"


def save_reference(pipeline: Pipeline, name: str) -> ReferenceRun:
    """Save the present run in place of the files in its folder, and return its description.

    Raises:
        UserError: a table or a record is missing, a file of the report was edited or is older than
            the results, the name belongs to a run of another profile, or the results come from
            several configurations.
    """
    folder = REFERENCE / name
    ran = executions(pipeline)
    tables = scored_tables(pipeline, ran)
    if (folder / "run.json").exists() and (
        old := load_reference(name, pipeline.config.name)
    ).profile != pipeline.config.name:
        raise UserError(
            f"{folder / 'run.json'}: profile: found {old.profile}, expected "
            f"{pipeline.config.name}; choose another name"
        )
    configuration = _configuration(ran)
    settings = list_settings(ran)
    metrics = sorted({cell.metric for path in tables for cell in read_rows(path, Cell)})
    on_gpu = any(setting.gpus for setting in settings)
    reference = ReferenceRun(
        profile=pipeline.config.name,
        command=_command(pipeline, ran, tables),
        commits=list_commits(ran),
        made=max(record.ended or record.started for record in select_scoring_records(ran)).date(),
        cost=_run_cost(ran),
        settings=settings,
        versions=_find_writer(ran, tables[0]).versions,
        tables={path.name: sha256(path) for path in tables},
        same_setting=other_setting(metrics) if on_gpu else same_setting(metrics),
        other_setting=other_setting(metrics),
    )
    files = [*_report_files(ran), *filter(Path.is_file, _cost_files(pipeline))]
    for path in files:
        with atomic_write(folder / path.name) as temporary:
            shutil.copyfile(path, temporary)
    write_text(folder / CONFIGURATION, json.dumps(configuration, indent=1) + "\n")
    write_executions(folder, ran)
    write_text(folder / "run.json", reference.model_dump_json(indent=1) + "\n")
    written = {*(path.name for path in files), CONFIGURATION, EXECUTIONS, "run.json"}
    if pipeline.config.profile.seeds > 1:
        write_trainings(folder / TRAININGS, pipeline.config, pipeline.layout)
        written.add(TRAININGS)
    for path in folder.iterdir():  # left by a run that was saved before
        if path.is_file() and path.name not in written:
            path.unlink()
    return reference


def _report_files(ran: Sequence[Execution]) -> list[Path]:
    """The report files to save: tables and curves as CSV and Markdown, no images.

    Raises:
        UserError: see `check_current`.
    """
    made = {
        path: execution
        for execution in ran
        if execution.job.stage.group == "report"
        for path in execution.job.outputs
        if path.suffix in (".csv", ".md")
    }
    check_current(made, ran)
    return list(made)


def _cost_files(pipeline: Pipeline) -> Iterable[Path]:
    """Files that are no outputs of a stage, see `tables.costs`."""
    return (pipeline.layout.report(f"costs.{suffix}") for suffix in ("csv", "md"))


def check_current(made: Mapping[Path, Execution], ran: Iterable[Execution]) -> None:
    """Check that files are what their executions made, of the results that are here.

    Args:
        made: the files, with their executions.
        ran: all executions.

    Raises:
        UserError: a file was edited, or its execution read other results.
    """
    results = {name: file for execution in ran for name, file in execution.record.outputs.items()}
    for path, execution in made.items():
        record = execution.record
        if record.outputs.get(str(path)) != hashes([path])[str(path)]:
            raise changed_error(path, execution)
        for name, read in record.inputs.items():
            if results.get(name, read) != read:
                raise UserError(
                    f"{path}: made from another {name} than the one that is here; run "
                    f"{record.command!r} again"
                )


def _configuration(ran: Iterable[Execution]) -> dict[str, Any]:
    """The configuration that the executions read: `file:key` or `DATASET/NETWORK:key` → value.

    Raises:
        UserError: two executions read different values.
    """
    read: dict[str, tuple[Any, str]] = {}
    for execution in ran:
        command = execution.record.command
        for local_key, value in execution.record.parameters.items():
            key = _qualify_key(local_key, execution.job)
            first, reader = read.setdefault(key, (value, command))
            if first != value:
                where, one, other = _first_difference(key, first, value)
                raise UserError(
                    f"{where}: {reader!r} read {one!r}, but {command!r} read {other!r}; run the "
                    "profile again, so that all results have one configuration"
                )
    return {key: value for key, (value, _) in sorted(read.items())}


def _first_difference(key: str, one: Any, other: Any) -> tuple[str, Any, Any]:
    """The key of the first value that differs in two sections, and both values; None: absent."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return key, one, other
    name = next(n for n in {**one, **other} if n not in one or n not in other or one[n] != other[n])
    below = f"{key}{name}" if key.endswith(":") else f"{key}.{name}"
    return _first_difference(below, one.get(name), other.get(name))


def _qualify_key(key: str, job: Job) -> str:
    """Replace `network:` in a key of a job by `DATASET/NETWORK:`, which is unique in a run."""
    prefix, _, rest = key.partition(":")
    if prefix != "network" or job.stage.network is None:
        return key
    network = job.stage.network.format(**job.wildcards)
    return f"{'/'.join([*filter(None, [job.wildcards.get('dataset')]), network])}:{rest}"


def _command(pipeline: Pipeline, ran: Sequence[Execution], tables: Sequence[Path]) -> str:
    everything = len(list(pipeline.jobs()))
    targets = ["reproduce_all"] if len(ran) == everything else [str(path) for path in tables]
    return snakemake_command(pipeline.config.name, *targets)


def _run_cost(ran: Sequence[Execution]) -> RunCost:
    return RunCost(
        jobs=len(ran),
        job_hours=round(sum(execution.record.seconds for execution in ran) / 3600, 2),
        cores=max(execution.record.machine.cores for execution in ran),
    )


def _find_writer(ran: Iterable[Execution], path: Path) -> Record:
    return next(e.record for e in ran if path in e.job.outputs)


def scored_tables(pipeline: Pipeline, ran: Sequence[Execution]) -> list[Path]:
    """The tables of scores of the present run.

    Raises:
        UserError: no table exists, or one was edited after its run or is older than the results.
    """
    names = ("table1", "table1_extended", *pipeline.config.ablations)
    paths = {pipeline.layout.report(f"{name}.csv") for name in names}
    tables = {path: e for e in ran for path in e.job.outputs if path in paths}
    check_current(tables, ran)
    if not tables:
        raise UserError(
            f"{pipeline.layout.reports}: found no table of scores; run "
            f"`make table1 PROFILE={pipeline.config.name}`"
        )
    return list(tables)


def list_settings(ran: Iterable[Execution]) -> tuple[Setting, ...]:
    """The settings of all trainings, completions and evaluations."""
    return tuple(
        sorted(
            {
                Setting(
                    cpu=record.machine.cpu,
                    gpus=record.machine.gpus,
                    torch=record.versions["torch"],
                    threads=record.threads,
                )
                for record in select_scoring_records(ran)
            },
            key=str,
        )
    )


def list_commits(ran: Iterable[Execution]) -> tuple[str, ...]:
    """The code of all trainings, completions and evaluations, for example `6f814dd61c0a`."""
    return tuple(sorted({record.git.describe(12) for record in select_scoring_records(ran)}))
