"""Kept runs: the numbers of a run that later ones are compared with, and how far they may differ.

`reports/reference/NAME/` holds tables and curves, never pictures, and `run.json`: what made them,
where, and the tolerances, each set with its reason. `keeping.py` writes it.
"""

from datetime import date
from pathlib import Path

from pydantic import Field, ValidationError

from mdrnets.config.options import Options
from mdrnets.errors import UserError
from mdrnets.files import sha256

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


class RunCost(Options):
    """What a run took.

    Attributes:
        jobs: executions of stages.
        job_hours: of all jobs together, waiting for each other's processor included.
        elapsed_hours: from the first start to the last end, pauses included.
        cores: of the machine.
    """

    jobs: int
    job_hours: float
    elapsed_hours: float
    cores: int


class ReferenceRun(Options):
    """`run.json`.

    Attributes:
        profile: of the run.
        command: makes its tables again.
        commits: of the code, as the records have them.
        made: the day.
        effort: of everything that led to what is kept.
        code: SHA-256 of all files of the project that trainings and evaluations ran.
        settings: of all trainings and evaluations.
        versions: of the packages that rendered the tables.
        tables: those that are compared: file name → SHA-256.
        same_setting: tolerances where the new run's code and settings are the same.
        other_setting: tolerances elsewhere.
    """

    profile: str
    command: str
    commits: tuple[str, ...]
    made: date
    effort: RunCost
    code: str
    settings: tuple[Setting, ...]
    versions: dict[str, str]
    tables: dict[str, str]
    same_setting: Tolerances
    other_setting: Tolerances


def load_reference(name: str) -> ReferenceRun:
    """Read a kept run's description.

    Raises:
        UserError: there is none of this name, it is not valid, or a table was edited.
    """
    path = REFERENCE / name / "run.json"
    try:
        kept = ReferenceRun.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"{path}: there is no kept run of this name; "
            f"`mdrnets keep {name}` keeps the present one"
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
