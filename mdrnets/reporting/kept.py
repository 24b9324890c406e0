"""Kept runs: the numbers of a run that later ones are compared with, and how far they may differ.

`reports/reference/NAME/` holds tables of scores as CSV, never pictures, and `run.json`: who made
them, where, and the tolerances, each set with its reason.
"""

import shutil
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from pydantic import Field, ValidationError

from mdrnets.data.tables import read_table
from mdrnets.errors import UserError
from mdrnets.files import replacing, sha256, write_text
from mdrnets.options import Options
from mdrnets.pipeline import Pipeline
from mdrnets.reporting.cells import CELL_COLUMNS
from mdrnets.tracking.executions import Execution, executions
from mdrnets.tracking.provenance import GitState

REFERENCE = Path("reports/reference")


class Tolerance(Options):
    """How far a value may be from the kept one: by the larger of the two.

    Attributes:
        absolute: in the metric's unit.
        relative: share of the kept value.
    """

    absolute: float = Field(ge=0)
    relative: float = Field(ge=0)

    def allowed(self, kept: float) -> float:
        return max(self.absolute, self.relative * abs(kept))


class Tolerances(Options):
    """A tolerance for each metric, and why."""

    reason: str
    metrics: dict[str, Tolerance]


class Setting(Options):
    """What decides the last bits of a result, besides the code.

    Attributes:
        cpu, gpus: names.
        torch: its version.
        threads: of each process.
    """

    cpu: str
    gpus: tuple[str, ...]
    torch: str
    threads: int


class KeptRun(Options):
    """`run.json`.

    Attributes:
        profile: of the run.
        command: makes its tables again.
        commits: of the code, as the records have them.
        made: the day.
        settings: of all trainings and evaluations.
        versions: of the packages that rendered the tables.
        tables: file name → SHA-256.
        same_setting: tolerances where the new run's settings are the same.
        other_setting: tolerances elsewhere.
    """

    profile: str
    command: str
    commits: tuple[str, ...]
    made: date
    settings: tuple[Setting, ...]
    versions: dict[str, str]
    tables: dict[str, str]
    same_setting: Tolerances
    other_setting: Tolerances


SAME = "The same code, seed, processor, libraries and threads give the same bytes."
OTHER = (
    "On another processor the last bits differ, and a training lets the difference grow. Measured "
    "once: PConv of the demo profile with AVX2 in place of AVX-512 differs by up to 0.5 % in L1, "
    "0.04 dB in PSNR, 0.0009 in SSIM and 0.3 % in the distances. About ten times that is allowed, "
    "since adversarial trainings, not measured, may differ more."
)
EXACT = Tolerance(absolute=0, relative=0)
LOOSE = {
    "L1": Tolerance(absolute=0, relative=0.05),
    "PSNR": Tolerance(absolute=0.4, relative=0),
    "SSIM": Tolerance(absolute=0.01, relative=0),
    "FID": Tolerance(absolute=0, relative=0.03),
    "KID": Tolerance(absolute=0.002, relative=0.03),
}
"""By kind of metric, whatever it is computed over; `FID` and `KID` stand for their kin."""


def load_kept(name: str) -> KeptRun:
    """Read a kept run's description.

    Raises:
        UserError: there is none of this name, it is not valid, or a table was edited.
    """
    path = REFERENCE / name / "run.json"
    try:
        kept = KeptRun.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"{path}: there is no kept run of this name; "
            f"`python -m stages.verify --keep {name}` keeps the present one"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "content"
        raise UserError(
            f"{path}: {where}: {first['msg']}; correct it, or remove the folder and keep a run anew"
        ) from None
    for file, digest in kept.tables.items():
        table = path.with_name(file)
        if not table.is_file() or sha256(table) != digest:
            raise UserError(
                f"{table} is missing, or not the table that was kept: run.json has another "
                "SHA-256; take it back from git, or remove the folder and keep a run anew"
            )
    return kept


def keep(pipeline: Pipeline, name: str) -> KeptRun:
    """Keep the tables of scores of the run that is here; returns what `run.json` says.

    Raises:
        UserError: no table, one without its record, or another profile's run of this name.
    """
    folder = REFERENCE / name
    ran = executions(pipeline)
    tables = scored_tables(pipeline, ran)
    rendered = [execution for execution in ran if set(execution.instance.outputs) & set(tables)]
    if (folder / "run.json").exists() and (old := load_kept(name)).profile != pipeline.config.name:
        raise UserError(
            f"{folder} keeps a run of the profile {old.profile}, not {pipeline.config.name}; "
            "choose another name"
        )
    settings = used_settings(ran)
    metrics = {row["metric"] for path in tables for row in read_table(path, CELL_COLUMNS)}
    loose = Tolerances(reason=OTHER, metrics={m: LOOSE[_kind(m)] for m in sorted(metrics)})
    exact = Tolerances(reason=SAME, metrics=dict.fromkeys(sorted(metrics), EXACT))
    on_gpu = any(setting.gpus for setting in settings)
    kept = KeptRun(
        profile=pipeline.config.name,
        command=f"snakemake --cores all --config profile={pipeline.config.name} -- "
        + " ".join(str(path) for path in tables),
        commits=commits(ran),
        made=max(e.record.ended or e.record.started for e in rendered).date(),
        settings=settings,
        versions=rendered[0].record.versions,
        tables={path.name: sha256(path) for path in tables},
        same_setting=loose if on_gpu else exact,
        other_setting=loose,
    )
    for path in tables:
        with replacing(folder / path.name) as temporary:
            shutil.copyfile(path, temporary)
    write_text(folder / "run.json", kept.model_dump_json(indent=1) + "\n")
    return kept


def scored_tables(pipeline: Pipeline, ran: Iterable[Execution]) -> list[Path]:
    """The tables of scores that are here, as their records have them.

    Raises:
        UserError: there is none, or one was edited.
    """
    names = ("table1", "table1_extended", *pipeline.config.ablations)
    wanted = {pipeline.layout.report(f"{name}.csv") for name in names}
    outputs = [(p, e.record) for e in ran for p in e.instance.outputs if p in wanted]
    for path, record in outputs:
        if record.outputs[str(path)].sha256 != sha256(path):
            raise UserError(
                f"{path} is not what {record.command!r} wrote; remove it and run that again"
            )
    if not outputs:
        raise UserError(f"{pipeline.layout.reports}: there is no table of scores; `make table1`")
    return [path for path, _ in outputs]


def used_settings(ran: Iterable[Execution]) -> tuple[Setting, ...]:
    """Where the trainings, completions and evaluations ran."""
    records = [e.record for e in ran if e.stage.group in ("train", "evaluate")]
    return tuple(
        sorted(
            {
                Setting(
                    cpu=record.machine.cpu,
                    gpus=record.machine.gpus,
                    torch=record.versions["torch"],
                    threads=record.threads,
                )
                for record in records
            },
            key=str,
        )
    )


def commits(ran: Iterable[Execution]) -> tuple[str, ...]:
    """The states of the code, for example `6f814dd61c0a with uncommitted changes`."""
    return tuple(sorted({_commit(execution.record.git) for execution in ran}))


def _commit(git: GitState) -> str:
    if git.commit is None:
        return "not in a git checkout"
    return git.commit[:12] + (" with uncommitted changes" if git.dirty else "")


def _kind(metric: str) -> str:
    """`raw PSNR` → `PSNR`, `FD(effnet-lite0)` → `FID`."""
    last = metric.split()[-1].partition("(")[0]
    return {"FD": "FID", "KD": "KID"}.get(last, last)
